// Runs graphql-sse's own client against the service: a query, a rejected one, and a subscription that is cut off and
// resumes.
//
//   node events.mjs --url http://127.0.0.1:PORT --events COUNT --token TOKEN [--token TOKEN …]
//
// The subscription starts with the first token, and reconnects with the next one each time. Prints one JSON object a
// line: {"query":[…]}, {"refusal":[…]}, {"event":REVISION} and {"connected":NTH} as they happen, then {"ended":NTH}
// after COUNT events.

import { parseArgs } from "node:util";
import { createClient } from "graphql-sse";

const options = parseArgs({
  options: {
    url: { type: "string" },
    events: { type: "string" },
    token: { type: "string", multiple: true },
  },
}).values;
const url = `${options.url}/graphql`;
const say = (what) => console.log(JSON.stringify(what));
const bearer = (token) => ({ Authorization: `Bearer ${token}` });

async function all(client, request) {
  const results = [];
  for await (const result of client.iterate(request)) results.push(result);
  return results;
}

const plain = createClient({ url, headers: bearer(options.token[0]), retryAttempts: 0 });
const results = await all(plain, { query: "{ __typename }" });
say({ query: results.map(({ data }) => ({ data })) });
say({ refusal: await all(plain, { query: "subscription { nope }" }) });

let connections = 0;
const watching = createClient({
  url,
  headers: () => bearer(options.token[connections++]),
  retry: () => new Promise((resolve) => setTimeout(resolve, 20)),
  on: { connected: () => say({ connected: connections }) },
});
const variables = { after: "0" };
const query = "subscription ($after: Cursor) { activations(after: $after) { revision cursor } }";
let left = Number(options.events);
for await (const { data, errors } of watching.iterate({ query, variables })) {
  if (errors) throw new Error(errors[0].message);
  variables.after = data.activations.cursor;
  say({ event: data.activations.revision });
  if (--left === 0) break;
}
say({ ended: connections });
