import { describe, expect, it, vi } from "vitest";

const sent: { document: string; variables: { input: Record<string, unknown> } }[] = [];
vi.stubGlobal("fetch", (_: string, { body }: { body: string }) => {
  const { query, variables } = JSON.parse(body) as { query: string; variables: { input: Record<string, unknown> } };
  sent.push({ document: query, variables });
  const field = /\{(\w+)/.exec(query.slice(query.indexOf(")")))?.[1] ?? "";
  const object = { id: `id-${sent.length}`, number: 1, name: "", key: "" };
  const payload = { customer: object, environment: object, agent: object, version: object, activation: object, revision: "1", userErrors: [] };
  return Promise.resolve(new Response(JSON.stringify({ data: { [field]: payload } })));
});
const { loadSample, SAMPLE_STEPS } = await import("./sample");

describe("the sample data", () => {
  it("is made by ordinary mutations, each with a key of its own, and each told", async () => {
    const told: string[] = [];
    expect(await loadSample(({ words }) => told.push(words))).toBe("id-1");
    expect(told).toHaveLength(SAMPLE_STEPS);
    expect(sent).toHaveLength(SAMPLE_STEPS);
    expect(new Set(sent.map(({ variables }) => variables.input["idempotencyKey"])).size).toBe(SAMPLE_STEPS);
    expect(told.filter((words) => words.startsWith("Rolled"))).toEqual(["Rolled Permit helper back to 1 in production"]);
  });
});
