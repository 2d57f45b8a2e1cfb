// The dialog's sentences: verb, thing and place.

import type { ChangeImpact } from "~/__generated__/graphql";
import { impactConsent } from "~/words";

export type Kind = "activate" | "rollback" | "promote" | "deactivate";

/** The question of the title. */
export function question(kind: Kind, place: string, from: number | null, to: number | null): string {
  if (kind === "deactivate") return `Stop serving in ${place}?`;
  if (kind === "rollback") return from === null ? `Roll back ${place} to ${to ?? "…"}?` : `Roll back ${place} from ${from} to ${to ?? "…"}?`;
  return from === null || from === to ? `Serve ${to ?? "…"} in ${place}?` : `Serve ${to ?? "…"} instead of ${from} in ${place}?`;
}

/** The words of the button that acts. */
export function command(kind: Kind, place: string, to: number | null): string {
  if (kind === "deactivate") return `Stop serving in ${place}`;
  if (kind === "rollback") return `Roll back ${place} to ${to ?? "…"}`;
  return `Serve ${to ?? "…"} in ${place}`;
}

/** The words of the button that leaves everything as it is. */
export function keep(from: number | null): string {
  return from === null ? "Leave it as it is" : `Keep ${from}`;
}

/** What came of it. */
export function outcome(place: string, to: number | null): string {
  return to === null ? `${place} serves nothing now.` : `${place} serves ${to}.`;
}

/** The part of a finding that a consent names. */
export interface Named {
  impact: ChangeImpact;
  toolName?: string | null;
  path: readonly string[];
}

/** "a", "a and b", "a, b and 3 more". */
export function listed(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  if (rest > 1) return `${names.slice(0, most).join(", ")} and ${rest} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What is accepted by ticking a box: it names the tools and variables that the plan finds. */
export function consent(impact: ChangeImpact, findings: readonly Named[]): string {
  const own = findings.filter((finding) => finding.impact === impact);
  const tools = [...new Set(own.flatMap(({ toolName }) => (toolName ? [toolName] : [])))];
  const variables = [...new Set(own.flatMap(({ path }) => (path[0] === "variables" && path[1] ? [path[1]] : [])))];
  const isGone = impact === "REMOVED";
  const sentences = [
    tools.length === 0 ? "" : impact === "UNKNOWN" ? `It can’t be told whether calls of ${listed(tools)} still fit.` : isGone ? `Running conversations fail when they call ${listed(tools)}.` : `Running conversations may fail when they call ${listed(tools)}.`,
    variables.length === 0 ? "" : isGone ? `Gateways fill ${listed(variables)} for nothing.` : `Gateways have to fill ${listed(variables)}.`,
  ].filter(Boolean);
  return sentences.length > 0 ? sentences.join(" ") : impactConsent(impact);
}
