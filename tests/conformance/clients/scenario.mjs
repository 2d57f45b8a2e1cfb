// The steps that each client runs: pages in both directions, mutations with and without user errors, a rejected one,
// and a subscription that is cut off twice.
//
// A client is `{ read, write, watch, line }`. `read` and `write` take an operation's name and its variables, and
// return `{ data, code }`: the data in the client's cache afterwards, and the code of the first error. `watch`
// passes each event to a function, and returns a function that stops it. `line` is the socket below.

import { parseArgs } from "node:util";

const DEADLINE = 30_000;

/** Runs the steps with clients that `open(url, token)` makes, and prints the results as one line of JSON. */
export async function run(open) {
  const { url, agent } = parseArgs({ options: { url: { type: "string" }, agent: { type: "string" } } }).values;
  const late = setTimeout(() => {
    console.error("the scenario is not done in time");
    process.exit(1);
  }, DEADLINE);
  const seen = await steps(() => open(url, process.env.TOKEN), agent);
  console.log(JSON.stringify(seen));
  clearTimeout(late);
}

async function steps(open, id) {
  const client = open();
  const seen = {};
  seen.viewer = (await client.read("WhoAmI", {})).data.viewer.kind;

  const versions = new Map();
  seen.forward = await pages(client, id, ({ hasNextPage, endCursor }) => hasNextPage && { first: 2, after: endCursor },
    { first: 2 }, versions);
  seen.backward = await pages(open(), id, ({ hasPreviousPage, startCursor }) =>
    hasPreviousPage && { last: 2, before: startCursor }, { last: 2 }, versions);

  const input = { agentId: id, systemPrompt: "You help, by the code.", modelName: "gpt-4-turbo", expectedLatestNumber: 5 };
  const { publishVersion: published } = (await client.write("Publish", { input })).data;
  seen.published = [published.version.number, told(published)];
  const activate = async (number, more = {}) => {
    const input = { agentId: id, versionId: versions.get(number), ...more };
    const { activateVersion } = (await client.write("Activate", { input })).data;
    return [activateVersion.agent.activeVersion?.number ?? null, told(activateVersion)];
  };
  // Version 6 isn't active, so this is a conflict: the user error is data, and the payload has the agent.
  seen.conflict = await activate(1, { expectedActiveVersionId: published.version.id });

  const events = [];
  const heard = queue();
  const stop = client.watch("Watch", { agentIds: [id], after: published.revision }, ({ activations }) => {
    events.push([activations.version.number, activations.reason]);
    heard.ring();
  });
  seen.activated = [await activate(1)];
  await heard.until(() => events.length === 1);
  for (const numbers of [[2, 3], [4]]) {
    client.line.cut();
    for (const number of numbers) seen.activated.push(await activate(number));
    client.line.mend();
    await heard.until(() => events.length === seen.activated.length);
  }
  stop();
  Object.assign(seen, { events, connections: client.line.connections });

  const { node } = (await client.read("FetchAgain", { id })).data;
  seen.again = [node.__typename, node.name, node.activeVersion.number];
  seen.refused = (await client.read("ListWatchers", {})).code;
  return { ...seen, ...client.more?.() };
}

/** Reads all pages. Returns the versions in the client's cache after each. */
async function pages(client, id, following, first, versions) {
  const held = [];
  for (let page = first; page;) {
    const { agent } = (await client.read("ReadVersions", { id, ...page })).data;
    const { edges, pageInfo } = agent.versions;
    held.push(edges.map(({ node }) => node.number));
    for (const { node } of edges) versions.set(node.number, node.id);
    page = following(pageInfo);
  }
  return held;
}

const told = ({ userErrors }) => userErrors.map(({ code, field }) => `${code} ${field}`);

/** A queue whose reader waits for the next item. */
function queue() {
  let ring = () => {};
  return {
    ring: () => ring(),
    async until(holds) {
      while (!holds()) await new Promise((resolve) => (ring = resolve));
    },
  };
}
