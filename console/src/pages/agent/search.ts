import { oneOf, whole, type RawSearch } from "~/search";

export const AGENT_TABS = ["versions", "activity", "use"] as const;

/** The agent's tab, and the version that is shown beside the list. */
export interface AgentSearch {
  tab?: (typeof AGENT_TABS)[number];
  version?: number;
}

export function agentSearch(raw: RawSearch): AgentSearch {
  return { tab: oneOf(raw["tab"], AGENT_TABS), version: whole(raw["version"]) };
}
