import { graphql } from "~/api/graphql";

export const ConnectDocument = graphql(`
  query Connect($customer: ID!) {
    customer(id: $customer) {
      id
      agents(first: 100, filter: { archived: false }) {
        totalCount
        nodes {
          id
          name
        }
      }
    }
  }
`);

export const MakeGatewayKeyDocument = graphql(`
  mutation MakeGatewayKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      apiKey {
        id
        name
      }
      secret
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** Who has reported. The gateways' names are for operators alone. */
export const ReportsDocument = graphql(`
  query Reports($customer: ID!, $environment: String!, $isOperator: Boolean!) {
    customer(id: $customer) {
      id
      environments {
        key
        convergence {
          revision
          gateways
          applied
        }
      }
    }
    agents(customerId: $customer, environment: $environment, filter: { serving: true, archived: false }, first: 1) {
      totalCount
    }
    gateways(environment: $environment, first: 100) @include(if: $isOperator) {
      nodes {
        id
        name
        since
        actor {
          id
          displayName
        }
      }
    }
  }
`);
