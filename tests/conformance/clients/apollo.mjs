// Runs the scenario with Apollo Client: HTTP with persisted queries, subscriptions over graphql-ws, a normalised
// cache.
//
//   TOKEN=… node apollo.mjs --url http://127.0.0.1:PORT/graphql --agent AGENT_ID

import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client/core";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { documents } from "./documents.mjs";
import { lineTo } from "./line.mjs";
import { run } from "./scenario.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** The HTTP requests in order: the operation's name, and whether its text was sent. */
const sent = [];
const telling = (address, init) => {
  const { operationName, query } = JSON.parse(init.body);
  sent.push(`${operationName} by ${query ? "text" : "hash"}`);
  return fetch(address, init);
};

function open(url, token) {
  const line = lineTo(url, token);
  const http = ApolloLink.from([
    new PersistedQueryLink({ sha256 }),
    new HttpLink({ uri: url, headers: { Authorization: `Bearer ${token}` }, fetch: telling }),
  ]);
  const client = new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(line.client),
      http,
    ),
    cache: new InMemoryCache({
      possibleTypes: { Node: ["Activation", "Agent", "AgentVersion", "Customer", "User"] },
      typePolicies: { Agent: { fields: { versions: relayStylePagination() } } },
    }),
  });
  const answer = ({ data, error }) => ({ data, code: error?.errors[0].extensions.code });
  return {
    line,
    read: async (name, variables) =>
      answer(await client.query({ query: documents[name], variables, fetchPolicy: "network-only", errorPolicy: "all" })),
    write: async (name, variables) =>
      answer(await client.mutate({ mutation: documents[name], variables, errorPolicy: "all" })),
    watch(name, variables, onEvent) {
      const subscription = client.subscribe({ query: documents[name], variables }).subscribe(({ data, error }) => {
        if (error) throw error;
        onEvent(data);
      });
      return () => subscription.unsubscribe();
    },
    // The first read of the versions was a miss in the persisted queries, all later ones were hits.
    more: () => ({ persisted: sent.filter((what) => what.startsWith("ReadVersions")) }),
  };
}

await run(open);
