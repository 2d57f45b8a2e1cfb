// Keeps the rows of the list current. A list of 20,000 is read page by page, so an event doesn't read it anew: the rows
// that moved are read by their ids, and take the places of the old ones.
import { useEffect, useState } from "react";
import type { AgentRowFragment, AgentsQuery } from "~/__generated__/graphql";
import { live, type MovedEvent } from "~/api/live";
import { client, refetch, request } from "~/api/query";
import { topic } from "~/api/topics";
import { AgentRowsDocument } from "./documents";

type Pages = { pages: AgentsQuery[]; pageParams: unknown[] };

/** The pages with the rows of `moved` in place. The same object if none of them is in it. */
export function patched(data: Pages, moved: readonly AgentRowFragment[]): Pages {
  const byId = new Map(moved.map((row) => [row.id, row]));
  let hasChanged = false;
  const pages = data.pages.map((page) => {
    if (!page.agents.nodes.some(({ id }) => byId.has(id))) return page;
    hasChanged = true;
    return { ...page, agents: { ...page.agents, nodes: page.agents.nodes.map((row) => byId.get(row.id) ?? row) } };
  });
  return hasChanged ? { ...data, pages } : data;
}

/** Milliseconds in which events are collected. */
const BURST = 120;

/** Reads rows that have moved. Returns how many agents the list lacks since it was read. */
export function useLiveRows(customerId: string, environment: string | null): { missing: number; reset: () => void } {
  const [missing, setMissing] = useState(0);
  useEffect(() => {
    let ids = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = async () => {
      const wanted = [...ids];
      ids = new Set();
      timer = undefined;
      if (wanted.length > 100) {
        void client.invalidateQueries({ queryKey: ["Agents"] });
        return;
      }
      try {
        const answer = await request(AgentRowsDocument, { customer: customerId, environment, ids: wanted });
        client.setQueriesData<Pages>({ queryKey: ["Agents"] }, (data) => (data ? patched(data, answer.agents.nodes) : data));
      } catch {
        void client.invalidateQueries({ queryKey: ["Agents"] });
      }
    };
    return live.onEvent(({ action, agentId, customerId: moved }: MovedEvent) => {
      if (moved !== customerId) return;
      if (action.startsWith("ENVIRONMENT_")) {
        void client.invalidateQueries({ queryKey: ["Agents"] });
        return;
      }
      if (!agentId) return;
      if (action === "AGENT_CREATED") {
        setMissing((count) => count + 1);
        refetch([topic.agents(customerId)]);
        return;
      }
      ids.add(agentId);
      timer ??= setTimeout(() => void flush(), BURST);
    });
  }, [customerId, environment]);
  return { missing, reset: () => setMissing(0) };
}
