// Runs graphql-ws's own client against the service: a query and a mutation, rejected credentials, concurrent
// operations, and a subscription that resumes when the service stops and when the connection breaks.
//
//   TOKEN=… node socket.mjs --url http://127.0.0.1:PORT [--url …] --agent AGENT_ID --events COUNT
//
// The subscription tries the URLs in turn. It cuts its own connection after two thirds of COUNT, and is completed
// after COUNT. Another one on the same socket runs until a line arrives on stdin. Prints one JSON object a line, as
// things happen.

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

// A query and a mutation get the same results as over HTTP.
const plain = clientOf();
const { extensions: { cost }, ...viewer } = await first(plain, "{ viewer { kind } }");
say({ query: viewer, cost });
const { data: updated } = await first(
  plain,
  "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { agent { description } userErrors { code } } }",
  { input: { agentId: options.agent, description: "by socket" } },
);
say({ mutation: { data: updated } });
// A rejected document ends its operation, not the socket: the client gets an array of errors.
say({ refused: await first(plain, "{ nope }").catch((errors) => errors.map(({ extensions }) => extensions.code)) });

// The close code for these credentials, and the number of attempts. Another token may fix 4403, so graphql-ws
// retries as often as configured; 4401 is fatal.
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

// Concurrent operations on one socket, each answered once with its own id.
let sockets = 0;
const busy = clientOf({ on: { opened: () => (sockets += 1) } });
const names = Array.from({ length: 20 }, (_, nth) => `n${nth}`);
const answers = await Promise.all(names.map((name) => first(busy, `{ ${name}: __typename }`)));
say({ at_once: answers.filter(({ data }, nth) => data[names[nth]] === "Query").length, sockets });

// A subscription with graphql-ws's own retries and delays.
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
// graphql-ws serialises this object again at each connection, so it resumes at the last cursor.
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
