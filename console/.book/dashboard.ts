import { createClient } from "graphql-ws";
import { graphql } from "./gql";
import type { TypedDocumentString } from "./gql/graphql";

const [url = "", token = "", customerId = ""] = process.argv.slice(2);
const Authorization = `Bearer ${token}`;
const Serving = graphql(`query Serving($customerId: ID!) { revision agents(customerId: $customerId, first: 100) {
  nodes { name servings { environment { key } activeVersion { number modelName } } } } }`);
const Moved = graphql(`subscription Moved($customerId: ID!, $after: Cursor) {
  customerEvents(customerId: $customerId, after: $after) { action agent { name } environmentKey } }`);

async function run<R, V>(document: TypedDocumentString<R, V>, variables: V): Promise<R> {
  const body = JSON.stringify({ query: document, variables });
  const headers = { "Content-Type": "application/json", Authorization };
  const answer = await fetch(url, { method: "POST", headers, body });
  const { data, errors } = (await answer.json()) as { data: R; errors?: { message: string }[] };
  if (errors) throw new Error(errors.map(({ message }) => message).join("; "));
  return data;
}

async function show(): Promise<string> {
  const { agents, revision } = await run(Serving, { customerId });
  for (const { name, servings } of agents.nodes)
    console.log(name, ...servings.map((at) => `${at.environment.key}: ${at.activeVersion?.number ?? "nothing"}`));
  return revision;
}

const client = createClient({ url: url.replace("http", "ws"), connectionParams: { Authorization } });
const request = { query: Moved.toString(), variables: { customerId, after: await show() } };
for await (const event of client.iterate(request)) {
  console.log(JSON.stringify(event.data));
  await show();
}
