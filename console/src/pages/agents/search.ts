import type { AgentFilter, AgentOrder } from "~/__generated__/graphql";
import { flag, oneOf, text, type RawSearch } from "~/search";

export const AGENT_ORDERS = ["NAME", "CREATED_AT", "UPDATED_AT", "LAST_ACTIVATED_AT", "MODEL_NAME"] as const;

/** The list of agents: its filters, its order, and the environment that these are of. */
export interface AgentsSearch {
  q?: string;
  model?: string;
  tool?: string;
  owner?: string;
  environment?: string;
  serving?: "yes" | "no";
  behind?: true;
  archived?: true;
  order?: (typeof AGENT_ORDERS)[number];
  direction?: "ASC" | "DESC";
}

export function agentsSearch(raw: RawSearch): AgentsSearch {
  return {
    q: text(raw["q"]),
    model: text(raw["model"]),
    tool: text(raw["tool"]),
    owner: text(raw["owner"]),
    environment: text(raw["environment"]),
    serving: oneOf(raw["serving"], ["yes", "no"]),
    behind: flag(raw["behind"]),
    archived: flag(raw["archived"]),
    order: oneOf(raw["order"], AGENT_ORDERS),
    direction: oneOf(raw["direction"], ["ASC", "DESC"]),
  };
}

/** What the service is asked for. */
export interface AgentsRequest {
  environment: string | null;
  filter: AgentFilter;
  order: AgentOrder;
}

/** The request that an address stands for. Archived agents are a list of their own; the order is by name. */
export function requestOf(search: AgentsSearch): AgentsRequest {
  const { q, model, tool, owner, environment, serving, behind, archived, order = "NAME", direction = "ASC" } = search;
  return {
    environment: environment ?? null,
    filter: {
      archived: archived ?? false,
      ...(q ? { nameContains: q.slice(0, 200) } : {}),
      ...(model ? { modelNames: [model] } : {}),
      ...(tool ? { toolName: tool } : {}),
      ...(owner ? { ownerId: owner } : {}),
      ...(serving ? { serving: serving === "yes" } : {}),
      ...(behind ? { servesLatest: false } : {}),
    },
    order: { field: order, direction },
  };
}

/** Whether anything but the order and the environment was chosen. */
export function isFiltered({ q, model, tool, owner, serving, behind, archived }: AgentsSearch): boolean {
  return Boolean(q ?? model ?? tool ?? owner ?? serving ?? behind ?? archived);
}

/** The direction that a column begins with: times newest first, names from A. */
export function firstDirection(field: string): "ASC" | "DESC" {
  return field.endsWith("_AT") ? "DESC" : "ASC";
}
