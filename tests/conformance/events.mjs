// graphql-sse's own client against the service: a query, a refusal, and a subscription that is cut off and comes back.
//
//   node events.mjs --url http://127.0.0.1:PORT --events COUNT --token TOKEN [--token TOKEN …]
//
// The subscription comes in with the first token, and comes back with the next each time. On stdout, one JSON object a
// line: {"query":[…]}, {"refusal":[…]}, {"event":REVISION} and {"connected":NTH} as they happen, then {"ended":NTH}
// when the subscription has had as many events as asked for.

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
say({ query: await all(plain, { query: "{ __typename }" }) });
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
