// What moves, and which queries show it. A query names its topics; an event names the topics that moved.
import type { ChangeAction } from "~/__generated__/graphql";

/** A part of the registry that can move. */
export type Topic = `${"agent" | "agents" | "environments" | "activations" | "customer" | "keys" | "people"}:${string}` | "customers" | "viewer";

export const topic = {
  /** One agent: its fields, versions and what it serves. */
  agent: (id: string): Topic => `agent:${id}`,
  /** The list of a customer's agents, with what they serve. */
  agents: (customerId: string): Topic => `agents:${customerId}`,
  /** A customer's environments and their rules. */
  environments: (customerId: string): Topic => `environments:${customerId}`,
  /** What served when at a customer. */
  activations: (customerId: string): Topic => `activations:${customerId}`,
  /** The customer itself: name, plan, billing status, your rights. */
  customer: (id: string): Topic => `customer:${id}`,
  /** Its API keys. Events don't name them: only this tab's own writes do. */
  keys: (customerId: string): Topic => `keys:${customerId}`,
  /** Its members and invitations. Events don't name them: only this tab's own writes do. */
  people: (customerId: string): Topic => `people:${customerId}`,
};

/** The part of an event that says what moved. */
export interface Movement {
  action: ChangeAction;
  customerId: string;
  agentId: string | null;
}

/** The topics that an event moves. */
export function topicsOf({ action, customerId, agentId }: Movement): Topic[] {
  const topics: Topic[] = [];
  if (agentId) topics.push(topic.agent(agentId), topic.agents(customerId));
  if (action === "AGENT_ACTIVATED" || action === "AGENT_DEACTIVATED" || action === "AGENT_ARCHIVED") topics.push(topic.activations(customerId));
  if (action.startsWith("ENVIRONMENT_")) topics.push(topic.environments(customerId), topic.agents(customerId));
  if (action.startsWith("CUSTOMER_")) topics.push(topic.customer(customerId), "customers");
  return topics;
}
