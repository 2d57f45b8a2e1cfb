// Runs the audits of the GraphQL over HTTP specification (npm graphql-http) against the service.
//
//   TOKEN=… node audits.mjs --url http://127.0.0.1:PORT/graphql
//
// Prints one JSON object: the number of audits, the number that passed, and the failures. Without TOKEN no
// credential is sent. Exit code 0: all passed; 1: some failed; 2: wrong usage.

import { parseArgs } from "node:util";
import { serverAudits } from "graphql-http";

const usage = (message) => {
  console.error(`audits.mjs: ${message}`);
  process.exit(2);
};

const { url } = (() => {
  try {
    return parseArgs({ options: { url: { type: "string" } } }).values;
  } catch (error) {
    return usage(error.message);
  }
})();
if (!url) usage("--url is needed");

const { TOKEN } = process.env;
const fetchFn = (address, init = {}) => {
  const headers = new Headers(init.headers);
  if (TOKEN) headers.set("authorization", `Bearer ${TOKEN}`);
  return fetch(address, { ...init, headers, signal: AbortSignal.timeout(30_000) });
};

const results = await Promise.all(serverAudits({ url, fetchFn }).map((audit) => audit.fn()));
const wrong = results.filter(({ status }) => status !== "ok");
const told = wrong.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify({ audits: results.length, ok: results.length - wrong.length, wrong: told }));
process.exitCode = wrong.length === 0 ? 0 : 1;
