// Runs the scenario with relay-runtime, without React: HTTP, subscriptions over graphql-ws, Relay's store.
//
//   TOKEN=… node relay.mjs --url http://127.0.0.1:PORT/graphql --agent AGENT_ID
//
// Run relay-compiler first, in this folder: node ../../node_modules/relay-compiler/cli.js relay.config.json

import { createRequire } from "node:module";
import relay from "relay-runtime";
import { lineTo } from "../clients/line.mjs";
import { run } from "../clients/scenario.mjs";

const { Environment, Network, Observable, RecordSource, Store } = relay;
const { commitMutation, createOperationDescriptor, fetchQuery, getSingularSelector, requestSubscription } = relay;

const require = createRequire(import.meta.url);
const artifact = (name) => require(`./__generated__/Scenario${name}.graphql.js`);

function environmentOf(url, token, line) {
  const ask = async ({ text, name }, variables) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: text, operationName: name, variables }),
    });
    return response.json();
  };
  const listen = ({ text }, variables) =>
    Observable.create((sink) => line.client.subscribe({ query: text, variables }, sink));
  return new Environment({ network: Network.create(ask, listen), store: new Store(new RecordSource()) });
}

function open(url, token) {
  const line = lineTo(url, token);
  const environment = environmentOf(url, token, line);
  const codeOf = (error) => error.source?.errors[0].extensions.code;

  /** Reads the data of this fragment from the store, below a record that spreads it. */
  const held = (name, record) => environment.lookup(getSingularSelector(artifact(`_${name}`), record)).data;

  async function query(name, variables) {
    const request = artifact(`${name}Query`);
    await fetchQuery(environment, request, variables, { fetchPolicy: "network-only" }).toPromise();
    return environment.lookup(createOperationDescriptor(request, variables).fragment).data;
  }
  const reads = {
    /** The first page comes through the agent, the others through the fragment's own query. */
    async ReadVersions({ id, ...page }) {
      const isFirst = !page.after && !page.before;
      const record = isFirst
        ? (await query("ReadVersions", { id, ...page })).agent
        : (await query("MoreVersions", { id, ...page })).node;
      return { agent: held("versions", record) };
    },
    FetchAgain: async (variables) => ({ node: held("serving", (await query("FetchAgain", variables)).node) }),
  };
  return {
    line,
    read: (name, variables) =>
      (reads[name]?.(variables) ?? query(name, variables)).then((data) => ({ data }), (error) => {
        const code = codeOf(error);
        if (!code) throw error;
        return { code };
      }),
    write: (name, variables) => new Promise((resolve, reject) => {
      const onCompleted = (data, errors) => resolve({ data, code: errors?.[0].extensions.code });
      commitMutation(environment, { mutation: artifact(`${name}Mutation`), variables, onCompleted, onError: reject });
    }),
    watch(name, variables, onNext) {
      const onError = (error) => { throw error; };
      const subscription = artifact(`${name}Subscription`);
      const watching = requestSubscription(environment, { subscription, variables, onNext, onError });
      return () => watching.dispose();
    },
  };
}

await run(open);
