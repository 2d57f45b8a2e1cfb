// graphql-ws's own client against the service: a query and a mutation, credentials that are refused, many operations at
// once, and a subscription that goes on where it was when the service stops, and when the line breaks.
//
//   TOKEN=… node socket.mjs --url http://127.0.0.1:PORT [--url …] --agent AGENT_ID --events COUNT
//
// The subscription tries the addresses in turn. It cuts its own line after two thirds of COUNT, and is completed after
// COUNT; another one on its socket runs on until a line comes on stdin. On stdout, one JSON object a line, as things
// happen.

import { once } from "node:events";
import { parseArgs } from "node:util";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const options = parseArgs({
  options: { url: { type: "string", multiple: true }, agent: { type: "string" }, events: { type: "string" } },
}).values;
const urls = options.url.map((url) => `${url.replace(/^http/, "ws")}/graphql`);
const COUNT = Number(options.events);
const CUT = (COUNT * 2) / 3;

const say = (what) => console.log(JSON.stringify(what));
const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const clientOf = (more) => createClient({
  url: urls[0],
  webSocketImpl: WebSocket,
  connectionParams: bearer(process.env.TOKEN),
  ...more,
});

async function first(client, query, variables) {
  for await (const result of client.iterate({ query, variables })) return result;
}

// A query and a mutation are answered as over HTTP.
const plain = clientOf();
say({ query: await first(plain, "{ viewer { kind } }") });
say({
  mutation: await first(
    plain,
    "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { agent { description } userErrors { code } } }",
    { input: { agentId: options.agent, description: "by socket" } },
  ),
});
// A document that is refused ends its operation, not its socket: it comes as an array of errors.
say({ refused: await first(plain, "{ nope }").catch((errors) => errors.map(({ extensions }) => extensions.code)) });

// What a client that signs in so is closed with, and how often it tried. 4403 may be mended by another token, so
// graphql-ws comes back as often as it is let; 4401 ends it at once.
async function refusal(connectionParams, more) {
  let tries = 0;
  const on = { opened: () => (tries += 1) };
  const client = clientOf({ connectionParams, retryAttempts: 2, retryWait: async () => {}, on, ...more });
  const code = await first(client, "{ __typename }").then(() => null, ({ code }) => code);
  return [code, tries];
}
say({ bad: await refusal(bearer("nonsense")) });
say({ final: await refusal(bearer("nonsense"), { shouldRetry: ({ code }) => code !== 4403 }) });
say({ nobody: await refusal(undefined) });

// Many at once on one socket, each answered once and under its own name.
let sockets = 0;
const busy = clientOf({ on: { opened: () => (sockets += 1) } });
const names = Array.from({ length: 20 }, (_, nth) => `n${nth}`);
const answers = await Promise.all(names.map((name) => first(busy, `{ ${name}: __typename }`)));
say({ at_once: answers.filter(({ data }, nth) => data[names[nth]] === "Query").length, sockets });

// A subscription with graphql-ws's own retry and its own waits.
let tried = 0;
let socket;
const watching = clientOf({
  url: () => urls[tried++ % urls.length],
  retryAttempts: 10,
  shouldRetry: () => true,
  on: {
    connected(opened) {
      socket = opened;
      say({ connected: true });
    },
    closed: ({ code }) => say({ closed: code }),
  },
});
const beside = watching.subscribe({ query: "subscription { activations { revision } }" }, { next() {}, error() {}, complete() {} });
// graphql-ws writes this object again at each connection, so it comes back with the last cursor.
const variables = { after: "0" };
const query = "subscription ($after: Cursor) { activations(after: $after) { revision cursor } }";
let seen = 0;
for await (const { data, errors } of watching.iterate({ query, variables })) {
  if (errors) throw new Error(errors[0].message);
  variables.after = data.activations.cursor;
  say({ event: data.activations.revision });
  seen += 1;
  if (seen === CUT) socket.terminate();
  if (seen === COUNT) break;
}
say({ completed: true });
await once(process.stdin, "data");
beside();
await watching.dispose();
process.stdin.destroy();
