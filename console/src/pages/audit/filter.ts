// From the address to the filter that the service takes, and to the addresses of the downloads.
import type { ChangeAction, ChangeFilter } from "~/__generated__/graphql";
import type { AuditSearch } from "./search";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(instant);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const shown = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return shown - Math.floor(instant / 1000) * 1000;
}

/** The instant at which a day begins in a zone; `days` later, the beginning of a later day. */
export function beginningOf(day: string, zone: string, days = 0): string {
  const midnight = new Date(`${day}T00:00:00Z`).getTime() + days * 86_400_000;
  // The offset at midnight UTC may be of the day before a clock change, so it is looked up at the first guess again.
  const guess = midnight - offsetAt(midnight, zone);
  return new Date(midnight - offsetAt(guess, zone)).toISOString();
}

/** A day or an instant of the address as an instant; undefined for anything else. */
function instantOf(value: string | undefined, zone: string, days: number): string | undefined {
  if (value === undefined || Number.isNaN(Date.parse(value))) return undefined;
  return DAY.test(value) ? beginningOf(value, zone, days) : new Date(value).toISOString();
}

/** The day of a filter's field; an instant of the address shows the day that it is in. */
export function dayOf(value: string | undefined, zone: string): string | undefined {
  if (value === undefined || Number.isNaN(Date.parse(value))) return undefined;
  return DAY.test(value) ? value : new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: zone }).format(new Date(value));
}

/** The filter of an address. A day is the reader's, and the last one counts as a whole. */
export function filterOf(search: AuditSearch, zone: string): ChangeFilter {
  const filter: ChangeFilter = {
    actions: search.actions,
    agentId: search.agent,
    actorId: search.actor,
    actorKind: search.kind,
    since: instantOf(search.since, zone, 0),
    until: instantOf(search.until, zone, 1),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** Whether the address narrows the list. */
export function isFiltered({ actions, agent, actor, kind, since, until }: AuditSearch): boolean {
  return [actions, agent, actor, kind, since, until].some((value) => value !== undefined);
}

/** The address of the entries as CSV: the filter's fields in snake case, the actions with commas between them. */
export function csvAddress(customerId: string, filter: ChangeFilter): string {
  const query = new URLSearchParams();
  const fields = { actions: filter.actions?.join(), agent_id: filter.agentId, actor_id: filter.actorId, actor_kind: filter.actorKind, since: filter.since, until: filter.until };
  for (const [name, value] of Object.entries(fields)) if (value) query.set(name, value);
  const text = query.toString();
  return `/console/download/customers/${encodeURIComponent(customerId)}/audit.csv${text ? `?${text}` : ""}`;
}

/** The address of the customer's excerpt, which proves the chain on any machine. */
export function excerptAddress(customerId: string): string {
  return `/console/download/customers/${encodeURIComponent(customerId)}/audit`;
}

/** Kinds of changes that are looked for together. */
export const GROUPS: { key: string; label: string; actions: ChangeAction[] }[] = [
  { key: "serving", label: "What serves", actions: ["AGENT_ACTIVATED", "AGENT_DEACTIVATED"] },
  { key: "versions", label: "Versions", actions: ["VERSION_PUBLISHED"] },
  { key: "agents", label: "Agents", actions: ["AGENT_CREATED", "AGENT_UPDATED", "AGENT_ARCHIVED", "AGENT_RESTORED"] },
  { key: "environments", label: "Environments", actions: ["ENVIRONMENT_CREATED", "ENVIRONMENT_UPDATED", "ENVIRONMENT_ARCHIVED", "ENVIRONMENT_RESTORED"] },
  { key: "people", label: "People", actions: ["MEMBER_SET", "MEMBER_REMOVED", "INVITATION_CREATED", "INVITATION_REVOKED"] },
  { key: "keys", label: "Keys", actions: ["API_KEY_CREATED", "API_KEY_ROTATED", "API_KEY_REVOKED"] },
  { key: "customer", label: "Customer and billing", actions: ["CUSTOMER_CREATED", "CUSTOMER_UPDATED", "CUSTOMER_PLAN_SET", "CUSTOMER_BILLING_SET", "CUSTOMER_ERASED"] },
];

/** The group, or the one action, that a list of actions is; "other" for any other list. */
export function choiceOf(actions: readonly ChangeAction[] | undefined): string {
  if (!actions?.length) return "";
  const sorted = [...actions].sort().join();
  const group = GROUPS.find((one) => [...one.actions].sort().join() === sorted);
  if (group) return group.key;
  return actions.length === 1 ? (actions[0] ?? "") : "other";
}

/** The actions of a choice. */
export function actionsOf(choice: string | undefined): ChangeAction[] | undefined {
  if (!choice) return undefined;
  return GROUPS.find(({ key }) => key === choice)?.actions ?? [choice as ChangeAction];
}
