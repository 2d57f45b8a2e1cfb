// Runs the scenario with urql: HTTP, subscriptions over graphql-ws, a normalised cache.
//
//   TOKEN=… node urql.mjs --url http://127.0.0.1:PORT/graphql --agent AGENT_ID

import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { documents } from "./documents.mjs";
import { lineTo } from "./line.mjs";
import { run } from "./scenario.mjs";

function open(url, token) {
  const line = lineTo(url, token);
  const client = new Client({
    url,
    fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
    preferGetMethod: false,
    exchanges: [
      cacheExchange({
        keys: { Viewer: () => null, UserError: () => null },
        resolvers: { Agent: { versions: relayPagination() } },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({ unsubscribe: line.client.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
  const answer = ({ data, error }) => ({ data, code: error?.graphQLErrors[0]?.extensions.code });
  return {
    line,
    read: async (name, variables) =>
      answer(await client.query(documents[name], variables, { requestPolicy: "network-only" }).toPromise()),
    write: async (name, variables) => answer(await client.mutation(documents[name], variables).toPromise()),
    watch(name, variables, onEvent) {
      const subscription = client.subscription(documents[name], variables).subscribe(({ data, error }) => {
        if (error) throw error;
        onEvent(data);
      });
      return () => subscription.unsubscribe();
    },
  };
}

await run(open);
