// How a program uses this agent, with its real ids and addresses.

export interface Snippet {
  key: string;
  title: string;
  about: string;
  text: string;
}

interface Subject {
  origin: string;
  agentId: string;
  environment: string;
  /** Left out of requests, since it is what they mean anyway. */
  isDefault: boolean;
  latest: { id: string; number: number } | null;
}

/** The ways to read what serves, to follow it, and to change it. */
export function snippetsOf({ origin, agentId, environment, isDefault, latest }: Subject): Snippet[] {
  const argument = isDefault ? "" : `, environment: "${environment}"`;
  const query = isDefault ? "" : `?environment=${environment}`;
  const read = `query Config($agent: ID!) {
  activeConfig(agentId: $agent${argument}) {
    versionNumber
    modelName
    modelParameters
    systemPrompt
    tools { name description inputSchema }
  }
}`;
  const one = read.replaceAll(/\s+/g, " ");
  const socket = origin.replace(/^http/, "ws");
  return [
    {
      key: "rest",
      title: "REST",
      about: "What serves now, by a service token. `ETag` and `If-None-Match` make a repetition cheap.",
      text: `curl -sS ${origin}/internal/agents/${agentId}/active${query} \\\n  -H "Authorization: Bearer $TOKEN"`,
    },
    { key: "graphql", title: "GraphQL", about: "The same for people, keys and services.", text: `${read}\n\n# Variables\n${JSON.stringify({ agent: agentId }, null, 2)}` },
    {
      key: "curl",
      title: "cURL",
      about: "The query above as a command.",
      text: `curl -sS ${origin}/graphql \\\n  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\\n  --data-raw '${JSON.stringify({ query: one, variables: { agent: agentId } })}'`,
    },
    {
      key: "follow",
      title: "Follow it",
      about: `Every change as it happens, over a websocket at ${socket}/graphql (graphql-transport-ws).`,
      text: `subscription {
  configs(agentIds: ["${agentId}"]${argument}) {
    kind
    revision
    cursor
    config { versionNumber modelName systemPrompt }
  }
}`,
    },
    ...(latest
      ? [
          {
            key: "activate",
            title: `Serve ${latest.number} from a pipeline`,
            about: `Prints the plan first, and ends with 0 (the same), 2 (something changes) or 3 (the rules refuse it).`,
            text: `agent-registry plan --agent ${agentId} --version ${latest.number}${isDefault ? "" : ` --environment ${environment}`}`,
          },
        ]
      : []),
  ];
}
