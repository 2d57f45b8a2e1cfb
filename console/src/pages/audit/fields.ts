// The fields of an entry in words: what a path is called, and how its value is written.
import type { BillingStatus, BreakingPolicy, Plan, Role, ActivationReason, ApiKeyScope } from "~/__generated__/graphql";
import { timeText } from "~/pages/environments/rules";
import { absolute } from "~/time";
import { billingWord, breakingWord, planWord, reasonWord, roleWord, scopeWord, spell } from "~/words";

const LABELS: Record<string, string> = {
  "activeVersion.id": "Version",
  activateRole: "Who may activate",
  allowedModels: "Models",
  "billing.status": "Billing status",
  "environment.key": "Environment",
  minSoakSeconds: "Time in the environment before",
  onBreaking: "Breaking changes",
  "owner.id": "Owner",
  "promoteFrom.id": "Takes versions from",
  replacedById: "Successor",
  rank: "Place in lists",
};

/** The name of a field, from its path in the schema. */
export function labelOf(path: readonly string[]): string {
  const known = LABELS[path.join(".")];
  if (known) return known;
  const words = path.join(" ").replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : "Value";
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HASH = /^[0-9a-f]{64}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Whether a value is the id of something, which is shown by its name. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

/** The ids in the values of an entry's fields. */
export function idsIn(changes: readonly { before?: unknown; after?: unknown }[]): string[] {
  const all = changes.flatMap(({ before, after }) => [before, after].flat());
  return [...new Set(all.filter(isId))];
}

function upper(value: string): string {
  return value.toUpperCase().replace(/[:\- ]/g, "_");
}

/** A value as people read it. `names` has the names of ids. */
export function valueText(path: readonly string[], value: unknown, names: ReadonlyMap<string, string> = new Map()): string {
  if (value === null || value === undefined) return "—";
  const last = path.at(-1);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((one) => valueText(path, one, names)).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return last?.endsWith("Seconds") ? (value === 0 ? "none" : timeText(value)) : value.toLocaleString("en");
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  const string = value;
  if (UUID.test(string)) return names.get(string) ?? `…${string.slice(-6)}`;
  if (HASH.test(string)) return `…${string.slice(-6)}`;
  if (last?.endsWith("At") && INSTANT.test(string)) return absolute(string);
  switch (path.join(".")) {
    case "role":
    case "activateRole":
      return roleWord(upper(string) as Role);
    case "plan":
      return planWord(upper(string) as Plan);
    case "billing.status":
      return billingWord(upper(string) as BillingStatus);
    case "onBreaking":
      return breakingWord(upper(string) as BreakingPolicy);
    case "reason":
      return reasonWord(upper(string) as ActivationReason);
    case "scopes":
      return scopeWord(upper(string) as ApiKeyScope);
    default:
      return /^[A-Z]+(_[A-Z]+)+$/.test(string) ? spell(string) : string;
  }
}
