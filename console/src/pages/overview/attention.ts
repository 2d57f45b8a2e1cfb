// What needs attention at a customer, the worst first: rejected, late, pending, keys that end, quota.
import type { OverviewQuery, RejectionCode } from "~/__generated__/graphql";
import { count, rejectionWord, shortId } from "~/words";

type Customer = NonNullable<OverviewQuery["customer"]>;

export type Attention = { tone: "bad" | "warn"; key: string; words: string } & (
  | { leads: "agent"; agentId: string }
  | { leads: "keys" | "gateways" | "none" }
);

const DAYS_BEFORE_EXPIRY = 14;
const SHARE_OF_QUOTA = 0.9;
/** Seconds after which a gateway that hasn't applied an activation is worth a line. */
const PENDING_AFTER = 60;

/** The entries. `latestAt` is the time of the latest activation, by environment. */
export function attentionOf(customer: Customer, latestAt: ReadonlyMap<string, string>, instance: OverviewQuery["instance"], now: number): Attention[] {
  const entries: Attention[] = [];
  for (const problem of instance?.problems ?? []) entries.push({ tone: "bad", key: problem, words: `This instance: ${problem}`, leads: "none" });
  for (const environment of customer.environments) entries.push(...rejections(environment));
  for (const { key, convergence } of customer.environments) {
    if (convergence && convergence.late > 0) {
      entries.push({ tone: "warn", key: `late ${key}`, words: `${key}: ${count(convergence.late, "gateway")} of ${convergence.gateways} reported before, and ${convergence.late === 1 ? "is" : "are"} late`, leads: "gateways" });
    }
  }
  for (const { key, convergence } of customer.environments) {
    const at = latestAt.get(key);
    const waiting = convergence ? convergence.pending - convergence.late : 0;
    if (convergence && waiting > 0 && at && now - Date.parse(at) > PENDING_AFTER * 1000) {
      entries.push({ tone: "warn", key: `pending ${key}`, words: `${key}: ${waiting} of ${convergence.gateways} gateways ${waiting === 1 ? "hasn’t" : "haven’t"} applied the latest activation yet`, leads: "gateways" });
    }
  }
  entries.push(...keysThatEnd(customer, now), ...quotas(customer));
  return entries;
}

function rejections({ key, convergence }: Customer["environments"][number]): Attention[] {
  if (!convergence || convergence.rejected === 0) return [];
  const groups = new Map<string, { agent: { id: string; name: string } | null; number: number | null; code: RejectionCode; message: string | null }>();
  for (const { agent, version, code, message } of convergence.rejections) {
    const group = `${agent?.id ?? ""} ${version?.number ?? ""} ${code}`;
    if (!groups.has(group)) groups.set(group, { agent: agent ?? null, number: version?.number ?? null, code, message: message ?? null });
  }
  const who = `${convergence.rejected} of ${count(convergence.gateways, "gateway")}`;
  if (groups.size === 0) return [{ tone: "bad", key: `rejected ${key}`, words: `${key}: ${who} refuse${convergence.rejected === 1 ? "s" : ""} a version`, leads: "gateways" }];
  return [...groups].map(([group, { agent, number, code, message }]) => {
    const what = agent ? `${agent.name}${number === null ? "" : ` ${number}`} · ${key}` : key;
    const why = `${rejectionWord(code)}${message ? `: ${message}` : ""}`;
    const words = `${what}: ${who} refuse${convergence.rejected === 1 ? "s" : ""} it (${why})`;
    return { tone: "bad", key: `${key} ${group}`, words, ...(agent ? { leads: "agent" as const, agentId: agent.id } : { leads: "gateways" as const }) };
  });
}

function keysThatEnd({ apiKeys }: Customer, now: number): Attention[] {
  return (apiKeys?.nodes ?? []).flatMap(({ id, name, expiresAt, revokedAt, replacedById }) => {
    if (!expiresAt || revokedAt || replacedById) return [];
    const days = Math.ceil((Date.parse(expiresAt) - now) / 86_400_000);
    if (days <= 0 || days > DAYS_BEFORE_EXPIRY) return [];
    return [{ tone: "warn" as const, key: `key ${id}`, words: `Key “${name}” (…${shortId(id)}) ends in ${count(days, "day")}`, leads: "keys" as const }];
  });
}

const QUOTAS = { agents: "agents", apiKeys: "keys", environments: "environments", members: "members", versionsPerAgent: "versions of one agent" } as const;

function quotas({ usage }: Customer): Attention[] {
  if (!usage) return [];
  return Object.entries(QUOTAS).flatMap(([name, words]) => {
    const { used, limit } = usage[name as keyof typeof QUOTAS];
    if (limit === 0 || used / limit <= SHARE_OF_QUOTA) return [];
    return [{ tone: "warn" as const, key: `quota ${name}`, words: `${used.toLocaleString("en")} of ${limit.toLocaleString("en")} ${words} of the plan are used`, leads: "none" as const }];
  });
}

/** The series of the chart: activations, rollbacks and stops of each day. */
export function seriesOf(counts: OverviewQuery["activationCounts"], days: readonly string[]) {
  const kinds = { ACTIVATE: 0, PUBLISH: 0, PROMOTE: 0, ROLLBACK: 1, DEACTIVATE: 2, ARCHIVE: 2 } as const;
  const values = [0, 1, 2].map(() => new Array<number>(days.length).fill(0));
  for (const { day, reason, count: number } of counts) {
    const place = days.indexOf(day);
    const own = values[kinds[reason] ?? 0];
    if (place >= 0 && own) own[place] = (own[place] ?? 0) + number;
  }
  const [activated = [], rolledBack = [], stopped = []] = values;
  return [
    { label: "Activated", tone: "accent" as const, values: activated },
    { label: "Rolled back", tone: "warn" as const, values: rolledBack },
    { label: "Stopped", tone: "muted" as const, values: stopped },
  ];
}
