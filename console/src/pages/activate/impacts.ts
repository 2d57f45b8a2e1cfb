// The order of impacts, from harmless to worst, and what a plan's findings look like in it.
import type { ChangeImpact, Role } from "~/__generated__/graphql";
import { impactWord, roleWord } from "~/words";

const ORDER: readonly ChangeImpact[] = ["SAME", "CONTENT", "TUNING", "MODEL", "CAPABILITY", "WIDENED", "UNKNOWN", "NARROWED", "REMOVED"];

/** The place of an impact; one of a newer service counts as the worst. */
export function impactRank(impact: ChangeImpact): number {
  const place = ORDER.indexOf(impact);
  return place < 0 ? ORDER.length : place;
}

/** The same things, worst first; what is equally bad stays in its order. */
export function worstFirst<Item extends { impact: ChangeImpact }>(items: readonly Item[]): Item[] {
  return [...items].sort((one, other) => impactRank(other.impact) - impactRank(one.impact));
}

/** The things by their impact, worst first. */
export function byImpact<Item extends { impact: ChangeImpact }>(items: readonly Item[]): { impact: ChangeImpact; items: Item[] }[] {
  const groups: { impact: ChangeImpact; items: Item[] }[] = [];
  for (const item of worstFirst(items)) {
    const last = groups.at(-1);
    if (last?.impact === item.impact) last.items.push(item);
    else groups.push({ impact: item.impact, items: [item] });
  }
  return groups;
}

const ROLES: readonly Role[] = ["VIEWER", "EDITOR", "ADMIN"];
const SPELLINGS = new RegExp(`\\b(${[...ORDER, ...ROLES].join("|")})\\b`, "g");

/** A message of the service as a sentence, without the schema's spelling of impacts and roles. */
export function inWords(message: string): string {
  const words = message.replace(SPELLINGS, (value) => (ROLES.includes(value as Role) ? roleWord(value as Role) : `“${impactWord(value as ChangeImpact)}”`));
  return words.charAt(0).toUpperCase() + words.slice(1);
}
