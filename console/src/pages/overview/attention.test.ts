import { describe, expect, it } from "vitest";
import type { OverviewQuery } from "~/__generated__/graphql";
import { attentionOf, seriesOf } from "./attention";

type Customer = NonNullable<OverviewQuery["customer"]>;
type Convergence = NonNullable<Customer["environments"][number]["convergence"]>;

const now = Date.parse("2026-11-29T12:00:00Z");
const quota = { used: 1, limit: 10 };
const convergence = (over: Partial<Convergence>): Convergence => ({ revision: "7", gateways: 12, applied: 12, pending: 0, late: 0, rejected: 0, silent: 0, rejections: [], ...over });
const customer = (over: Partial<Customer>, state: Partial<Convergence> = {}): Customer => ({
  id: "c",
  createdAt: "2026-01-01T00:00:00Z",
  plan: "PRO",
  usage: { agents: quota, apiKeys: quota, environments: quota, members: quota, versionsPerAgent: quota },
  all: { totalCount: 3, nodes: [] },
  environments: [{ id: "e", key: "production", isDefault: true, convergence: convergence(state) }],
  apiKeys: { totalCount: 0, nodes: [] },
  members: null,
  invitations: null,
  ...over,
});
const latest = new Map([["production", "2026-11-29T11:58:00Z"]]);

describe("what needs attention", () => {
  it("is nothing when all is well", () => {
    expect(attentionOf(customer({}), latest, undefined, now)).toEqual([]);
  });

  it("begins with what gateways refuse, named once for all of them", () => {
    const rejection = { code: "UNKNOWN_TOOL" as const, message: "find_section", gatewayName: null, agent: { id: "a", name: "Permit helper" }, version: { number: 14 } };
    const entries = attentionOf(customer({}, { applied: 9, rejected: 2, pending: 1, late: 1, rejections: [rejection, rejection] }), latest, undefined, now);
    expect(entries.map(({ words }) => words)).toEqual([
      "Permit helper 14 · production: 2 of 12 gateways refuse it (doesn’t know a tool: find_section)",
      "production: 1 gateway of 12 reported before, and is late",
    ]);
    expect(entries[0]).toMatchObject({ tone: "bad", leads: "agent", agentId: "a" });
  });

  it("waits a minute before it names a gateway that is on its way", () => {
    const waiting = customer({}, { applied: 11, pending: 1 });
    expect(attentionOf(waiting, new Map([["production", "2026-11-29T11:59:30Z"]]), undefined, now)).toEqual([]);
    expect(attentionOf(waiting, latest, undefined, now)[0]?.words).toBe("production: 1 of 12 gateways hasn’t applied the latest activation yet");
  });

  it("names keys that end within two weeks, but not replaced, revoked or ended ones", () => {
    const key = { name: "deploy", expiresAt: "2026-12-05T12:00:00Z", revokedAt: null, replacedById: null };
    const nodes = [
      { ...key, id: "0000000000aaaaaa" },
      { ...key, id: "b", replacedById: "x" },
      { ...key, id: "c", revokedAt: "2026-11-01T00:00:00Z" },
      { ...key, id: "d", expiresAt: "2027-03-01T00:00:00Z" },
      { ...key, id: "e", expiresAt: "2026-11-01T00:00:00Z" },
    ];
    expect(attentionOf(customer({ apiKeys: { totalCount: 5, nodes } }), latest, undefined, now).map(({ words }) => words)).toEqual(["Key “deploy” (…aaaaaa) ends in 6 days"]);
  });

  it("names a limit that is nearly used", () => {
    const usage = { agents: { used: 46, limit: 50 }, apiKeys: quota, environments: quota, members: quota, versionsPerAgent: quota };
    expect(attentionOf(customer({ usage }), latest, undefined, now)[0]?.words).toBe("46 of 50 agents of the plan are used");
  });
});

describe("the chart", () => {
  it("adds what asks the same question, day by day", () => {
    const counts = [
      { day: "2026-11-28", reason: "ACTIVATE" as const, count: 2 },
      { day: "2026-11-28", reason: "PROMOTE" as const, count: 1 },
      { day: "2026-11-29", reason: "ROLLBACK" as const, count: 4 },
      { day: "2026-01-01", reason: "ACTIVATE" as const, count: 9 },
    ];
    expect(seriesOf(counts, ["2026-11-28", "2026-11-29"]).map(({ values }) => values)).toEqual([
      [3, 0],
      [0, 4],
      [0, 0],
    ]);
  });
});
