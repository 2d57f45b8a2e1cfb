import { graphql } from "~/api/graphql";

/** What is wrong, what serves, what is used. */
export const OverviewDocument = graphql(`
  query Overview($customer: ID!, $environments: [String!]!, $since: DateTime!, $timeZone: String!, $isOperator: Boolean!) {
    customer(id: $customer) {
      id
      createdAt
      usage {
        agents {
          used
          limit
        }
        apiKeys {
          used
          limit
        }
        environments {
          used
          limit
        }
        members {
          used
          limit
        }
        versionsPerAgent {
          used
          limit
        }
      }
      plan
      all: agents(first: 3, filter: { archived: false }) {
        totalCount
        nodes {
          id
          latestVersion {
            number
          }
        }
      }
      environments {
        id
        key
        isDefault
        convergence {
          revision
          gateways
          applied
          pending
          late
          rejected
          silent
          rejections(first: 20) {
            code
            message
            gatewayName
            agent {
              id
              name
            }
            version {
              number
            }
          }
        }
      }
      apiKeys(first: 100) {
        totalCount
        nodes {
          id
          name
          expiresAt
          revokedAt
          replacedById
        }
      }
      members(first: 1) {
        totalCount
      }
      invitations(first: 1) {
        totalCount
      }
    }
    activationCounts(customerId: $customer, environments: $environments, since: $since, timeZone: $timeZone) {
      day
      reason
      count
    }
    instance @include(if: $isOperator) {
      version
      behind
      problems
    }
  }
`);

/** How many agents serve in one environment. */
export const ServingCountDocument = graphql(`
  query ServingCount($customer: ID!, $environment: String!) {
    agents(customerId: $customer, environment: $environment, filter: { serving: true, archived: false }, first: 1) {
      totalCount
    }
  }
`);

export const LatestActivationsDocument = graphql(`
  query LatestActivations($customer: ID!, $environments: [String!]!) {
    customer(id: $customer) {
      id
      activations(environments: $environments, first: 12) {
        nodes {
          ...LatestActivation
        }
      }
    }
  }
`);

export const LatestActivationFragment = graphql(`
  fragment LatestActivation on Activation {
    id
    activatedAt
    reason
    activatedBy {
      displayName
      kind
    }
    agent {
      id
      name
    }
    environment {
      key
      isDefault
    }
    previousVersion {
      number
    }
    version {
      number
    }
  }
`);

/** The entries of one day, for who reads the audit. */
export const DayDocument = graphql(`
  query DayOfActivations($customer: ID!, $since: DateTime!, $until: DateTime!) {
    changes(customerId: $customer, filter: { actions: [AGENT_ACTIVATED, AGENT_DEACTIVATED], since: $since, until: $until }, first: 50) {
      totalCount
      nodes {
        id
        at
        action
        actor {
          displayName
        }
        agent {
          id
          name
        }
        version {
          number
        }
        environment {
          key
          isDefault
        }
      }
    }
  }
`);
