// An environment's rules: as sentences, and as the fields of a form.
import type { BreakingPolicy, EnvironmentRulesFragment, Role } from "~/__generated__/graphql";

export type Environment = EnvironmentRulesFragment;

type Rules = Pick<Environment, "key" | "minSoakSeconds" | "onBreaking" | "allowedModels" | "activateRole"> & { promoteFrom?: { key: string } | null };

const UNITS = [
  { seconds: 86_400, one: "day", many: "days" },
  { seconds: 3600, one: "hour", many: "hours" },
  { seconds: 60, one: "minute", many: "minutes" },
  { seconds: 1, one: "second", many: "seconds" },
] as const;

/** A time in whole units: "1 day and 12 hours". */
export function timeText(seconds: number): string {
  const parts: string[] = [];
  let rest = seconds;
  for (const { seconds: size, one, many } of UNITS) {
    const number = Math.floor(rest / size);
    rest -= number * size;
    if (number > 0) parts.push(`${number} ${number === 1 ? one : many}`);
  }
  return parts.length > 0 ? new Intl.ListFormat("en").format(parts) : "no time";
}

/** What the rules say, a sentence each. */
export function sentencesOf({ key, promoteFrom, minSoakSeconds, onBreaking, allowedModels, activateRole }: Rules): string[] {
  const from = promoteFrom?.key;
  const way = from
    ? minSoakSeconds > 0
      ? `${key} takes only what ran ${timeText(minSoakSeconds)} in ${from}.`
      : `${key} takes only what has run in ${from}.`
    : `${key} takes any version.`;
  const breaking: Record<BreakingPolicy, string> = {
    ALLOW: "Breaking changes go through without a question.",
    CONFIRM: "A breaking change asks for a confirmation.",
    REFUSE: "A breaking change is refused.",
  };
  const models = allowedModels
    ? `Only ${new Intl.ListFormat("en", { type: "disjunction" }).format(allowedModels)} may be used.`
    : "Every model may be used.";
  const who: Record<Role, string> = {
    VIEWER: "Everybody may activate, roll back and stop.",
    EDITOR: "Editors and admins may activate, roll back and stop.",
    ADMIN: "Only admins may activate, roll back and stop.",
  };
  return [way, breaking[onBreaking], models, who[activateRole]];
}

/** `production` first, and then by rank; archived ones apart. */
export function inOrder<Item extends { isDefault: boolean; rank: number; key: string; archivedAt?: string | null }>(environments: readonly Item[]): { present: Item[]; archived: Item[] } {
  const sorted = [...environments].sort((one, other) => Number(other.isDefault) - Number(one.isDefault) || one.rank - other.rank || (one.key < other.key ? -1 : 1));
  return { present: sorted.filter(({ archivedAt }) => !archivedAt), archived: sorted.filter(({ archivedAt }) => archivedAt) };
}

/** The fields of the form. Numbers and lists are text, as typed. */
export interface RuleFields {
  key: string;
  name: string;
  promoteFrom: string;
  soak: string;
  soakUnit: "60" | "3600" | "86400";
  onBreaking: BreakingPolicy;
  models: string;
  activateRole: Role;
}

export function emptyFields(): RuleFields {
  return { key: "", name: "", promoteFrom: "", soak: "", soakUnit: "3600", onBreaking: "CONFIRM", models: "", activateRole: "EDITOR" };
}

/** The fields of an environment, in the largest unit that divides its time. */
export function fieldsOf({ key, name, promoteFrom, minSoakSeconds, onBreaking, allowedModels, activateRole }: Environment): RuleFields {
  const unit = (["86400", "3600", "60"] as const).find((one) => minSoakSeconds % Number(one) === 0) ?? "60";
  return {
    key,
    name,
    promoteFrom: promoteFrom?.key ?? "",
    soak: minSoakSeconds > 0 ? String(minSoakSeconds / Number(unit)) : "",
    soakUnit: minSoakSeconds > 0 ? unit : "3600",
    onBreaking,
    models: allowedModels?.join("\n") ?? "",
    activateRole,
  };
}

/** The models of the field: one a line, or between commas. Null: every model. */
export function modelsOf(text: string): string[] | null {
  const names = [...new Set(text.split(/[\n,]/).map((one) => one.trim()).filter(Boolean))];
  return names.length > 0 ? names : null;
}

/** The seconds of the field; null if they aren't a number of at least 0. */
export function soakSeconds({ promoteFrom, soak, soakUnit }: RuleFields): number | null {
  if (promoteFrom === "" || soak.trim() === "") return 0;
  const number = Number(soak.replace(",", "."));
  return Number.isFinite(number) && number >= 0 ? Math.round(number * Number(soakUnit)) : null;
}

/** The rules that the form has now, for its preview. */
export function previewOf(fields: RuleFields): Rules {
  return {
    key: fields.key.trim() || "It",
    promoteFrom: fields.promoteFrom ? { key: fields.promoteFrom } : null,
    minSoakSeconds: soakSeconds(fields) ?? 0,
    onBreaking: fields.onBreaking,
    allowedModels: modelsOf(fields.models),
    activateRole: fields.activateRole,
  };
}

/** What differs from the environment as it is: what is left out stays, and null removes. */
export function changesOf(environment: Environment, fields: RuleFields) {
  const models = modelsOf(fields.models);
  const seconds = soakSeconds(fields) ?? 0;
  const from = fields.promoteFrom || null;
  return {
    ...(fields.name.trim() !== environment.name ? { name: fields.name.trim() } : {}),
    ...(from !== (environment.promoteFrom?.key ?? null) ? { promoteFrom: from } : {}),
    ...(seconds !== environment.minSoakSeconds ? { minSoakSeconds: seconds } : {}),
    ...(fields.onBreaking !== environment.onBreaking ? { onBreaking: fields.onBreaking } : {}),
    ...(JSON.stringify(models) !== JSON.stringify(environment.allowedModels ?? null) ? { allowedModels: models } : {}),
    ...(fields.activateRole !== environment.activateRole ? { activateRole: fields.activateRole } : {}),
  };
}
