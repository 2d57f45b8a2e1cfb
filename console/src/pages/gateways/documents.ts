import { graphql } from "~/api/graphql";

/** The subscriptions of the instance that answers. */
export const WatchersDocument = graphql(`
  query Watchers($after: String) {
    revision
    watchers(first: 100, after: $after) {
      totalCount
      nodes {
        id
        name
        actor {
          kind
          displayName
        }
        watched
        environmentKey
        customerId
        agents
        network
        revision
        behind
        since
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** The names of the customers that they watch. */
export const WatchedCustomersDocument = graphql(`
  query WatchedCustomers($ids: [ID!]!) {
    nodes(ids: $ids) {
      id
      ... on Customer {
        name
      }
    }
  }
`);
