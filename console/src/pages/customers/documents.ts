import { graphql } from "~/api/graphql";

export const CustomerRowFragment = graphql(`
  fragment CustomerRow on Customer {
    id
    name
    externalId
    createdAt
    lastActivityAt
    erasedAt
    plan
    billing {
      status
    }
    usage {
      agents {
        used
        limit
      }
      members {
        used
        limit
      }
      apiKeys {
        used
        limit
      }
    }
  }
`);

export const CustomersDocument = graphql(`
  query Customers($filter: CustomerFilter, $orderBy: CustomerOrder, $after: String) {
    customers(filter: $filter, orderBy: $orderBy, first: 50, after: $after) {
      totalCount
      totalCountIsExact
      nodes {
        ...CustomerRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** What each plan allows, for the choice of one. */
export const PlansDocument = graphql(`
  query Plans {
    plans {
      plan
      agents
      apiKeys
      environments
      members
      requestsPerSecond
      versionsPerAgent
    }
  }
`);

export const CreateCustomerDocument = graphql(`
  mutation CreateCustomer($input: CreateCustomerInput!) {
    createCustomer(input: $input) {
      customer {
        id
        name
      }
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);

export const UpdateCustomerDocument = graphql(`
  mutation UpdateCustomer($input: UpdateCustomerInput!) {
    updateCustomer(input: $input) {
      customer {
        id
      }
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);

export const SetPlanDocument = graphql(`
  mutation SetPlan($input: SetPlanInput!) {
    setPlan(input: $input) {
      customer {
        id
      }
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);

export const SetBillingStatusDocument = graphql(`
  mutation SetBillingStatus($input: SetBillingStatusInput!) {
    setBillingStatus(input: $input) {
      customer {
        id
      }
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);

export const EraseCustomerDocument = graphql(`
  mutation EraseCustomer($input: EraseCustomerInput!) {
    eraseCustomer(input: $input) {
      customer {
        id
        erasedAt
      }
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);
