// What to run to connect a gateway, with the real address, environment and agents in it.

export interface RecipeOptions {
  /** The registry's address, without a slash at its end. */
  origin: string;
  environment: string;
  customer: string;
  /** The agents to follow; all of them when empty. */
  agents: readonly string[];
}

export interface Recipe {
  key: string;
  label: string;
  /** What it is, and what it needs. */
  words: string;
  code: (options: RecipeOptions) => string;
}

/** The token's name in all recipes: it stands in a file or in the environment, never in the code. */
const TOKEN = "REGISTRY_TOKEN";

const socket = (origin: string) => origin.replace(/^http/, "ws");
const list = (agents: readonly string[]) => agents.map((id) => JSON.stringify(id)).join(", ");

export const RECIPES: readonly Recipe[] = [
  {
    key: "sidecar",
    label: "Sidecar",
    words: "Keeps a file with all active configurations beside your program, and serves on when the registry is away. It speaks plain http: give it a proxy’s address where the registry has TLS.",
    code: ({ origin, environment, customer, agents }) =>
      [
        `umask 077; printf '%s\\n' "$${TOKEN}" > gateway.token`,
        `agent-registry watch --url ${origin} --token-file gateway.token \\`,
        `  --customer ${customer} --environment ${environment} --state gateway.json${agents.map((id) => ` \\\n  --agent ${id}`).join("")}`,
      ].join("\n"),
  },
  {
    key: "typescript",
    label: "TypeScript",
    words: "npm install graphql-ws@6 graphql@16 ws@8",
    code: ({ origin, environment, customer, agents }) => `import { createClient } from "graphql-ws";
import WebSocket from "ws";

const client = createClient({
  url: "${socket(origin)}/graphql",
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: \`Bearer \${process.env.${TOKEN}}\` },
  retryAttempts: Infinity,
  shouldRetry: () => true,
});
const query = \`subscription ($customerId: ID, $agentIds: [ID!], $environment: String, $after: Cursor) {
  configs(customerId: $customerId, agentIds: $agentIds, environment: $environment, after: $after) {
    kind cursor agentId reason
    config { name versionId modelName systemPrompt modelParameters tools { name description inputSchema } }
  }
}\`;
const variables = { customerId: "${customer}", environment: "${environment}"${agents.length > 0 ? `, agentIds: [${list(agents)}]` : ""}, after: null };
const configs = new Map();
for await (const { data, errors } of client.iterate({ query, variables })) {
  if (errors) throw new Error(errors[0].message);
  const { kind, agentId, config, cursor } = data.configs;
  if (config) configs.set(agentId, config);
  if (kind === "REMOVE") configs.delete(agentId);
  if (cursor) variables.after = cursor;
}
`,
  },
  {
    key: "python",
    label: "Python",
    words: 'pip install "gql[websockets]"',
    code: ({ origin, environment, customer, agents }) => `import asyncio, os
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

transport = WebsocketsTransport(
    url="${socket(origin)}/graphql",
    init_payload={"Authorization": f"Bearer {os.environ['${TOKEN}']}"},
    subprotocols=["graphql-transport-ws"],
)
query = gql("""
subscription ($customerId: ID, $agentIds: [ID!], $environment: String) {
  configs(customerId: $customerId, agentIds: $agentIds, environment: $environment) {
    kind agentId config { name systemPrompt modelName }
  }
}""")
query.variable_values = {"customerId": "${customer}", "environment": "${environment}"${agents.length > 0 ? `, "agentIds": [${list(agents)}]` : ""}}

async def main():
    async with Client(transport=transport) as session:
        async for result in session.subscribe(query):
            print(result["configs"])

asyncio.run(main())
`,
  },
  {
    key: "rust",
    label: "Rust",
    words: "The crate registry-client of this repository: crates/registry-client.",
    code: ({ origin, environment, customer }) => `use registry_client::Session;
use serde_json::json;

let token = std::env::var("${TOKEN}")?;
let session = Session::connect("${origin}", &token).await?;
let mut configs = session.subscribe(
    "subscription ($customerId: ID, $environment: String) {
       configs(customerId: $customerId, environment: $environment) { kind cursor agentId config { name systemPrompt } }
     }",
    json!({ "customerId": "${customer}", "environment": "${environment}" }),
)?;
while let Some(event) = configs.next().await {
    println!("{}", event?.data);
}
`,
  },
  {
    key: "curl",
    label: "curl",
    words: "One configuration at a time, with an ETag: for a program that serves few agents.",
    code: ({ origin, environment, agents }) => `curl -i "${origin}/internal/agents/${agents[0] ?? "AGENT_ID"}/active?environment=${environment}" \\
  -H "Authorization: Bearer $${TOKEN}"
`,
  },
];
