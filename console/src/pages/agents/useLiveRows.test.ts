import { describe, expect, it } from "vitest";
import type { AgentRowFragment, AgentsQuery } from "~/__generated__/graphql";
import { patched } from "./useLiveRows";

const row = (id: string, name = id) => ({ id, name }) as AgentRowFragment;
const page = (...nodes: AgentRowFragment[]) => ({ agents: { nodes, pageInfo: { hasNextPage: true, endCursor: "c" } } }) as unknown as AgentsQuery;
const list = { pages: [page(row("a"), row("b")), page(row("c"))], pageParams: [null, "c"] };

describe("a row that moved", () => {
  it("takes its old place, and leaves other pages as they are", () => {
    const next = patched(list, [row("b", "new")]);
    expect(next.pages[0]?.agents.nodes.map(({ name }) => name)).toEqual(["a", "new"]);
    expect(next.pages[1]).toBe(list.pages[1]);
  });

  it("of another list changes nothing", () => {
    expect(patched(list, [row("z")])).toBe(list);
  });
});
