import { graphql } from "~/api/graphql";

/** The gateways of an environment, and what they refuse. */
export const GatewaysDocument = graphql(`
  query Gateways($environment: String, $filter: GatewayFilter, $after: String) {
    gateways(environment: $environment, filter: $filter, first: 50, after: $after) {
      totalCount
      nodes {
        id
        name
        actor {
          displayName
        }
        state
        build
        region
        clientName
        clientVersion
        appliedRevision
        behind
        lastReportAt
        rejections(first: 5) {
          code
          message
          agent {
            name
          }
          version {
            number
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** The keys to choose from. */
export const GatewayEnvironmentsDocument = graphql(`
  query GatewayEnvironments {
    customers(first: 20) {
      nodes {
        id
        environments {
          key
        }
      }
    }
  }
`);

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
