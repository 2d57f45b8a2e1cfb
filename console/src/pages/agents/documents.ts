import { graphql } from "~/api/graphql";

export const AgentRowFragment = graphql(`
  fragment AgentRow on Agent {
    id
    name
    description
    archivedAt
    viewerPermissions
    owner {
      id
      name
      email
    }
    latestVersion {
      id
      number
    }
    latestActivation(environment: $environment) {
      activatedAt
    }
    servings {
      environment {
        id
        key
        isDefault
      }
      activeVersion {
        id
        number
        modelName
      }
      viewerPermissions
    }
  }
`);

export const AgentsDocument = graphql(`
  query Agents($customer: ID!, $environment: String, $filter: AgentFilter, $order: AgentOrder, $after: String) {
    agents(customerId: $customer, environment: $environment, filter: $filter, orderBy: $order, first: 100, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...AgentRow
      }
    }
  }
`);

/** How many there are, which is counted beside the rows, not with each page of them. */
export const AgentCountDocument = graphql(`
  query AgentCount($customer: ID!, $environment: String, $filter: AgentFilter) {
    agents(customerId: $customer, environment: $environment, filter: $filter, first: 1) {
      totalCount
      totalCountIsExact
    }
  }
`);

/** Rows that have moved, to take the place of the old ones. */
export const AgentRowsDocument = graphql(`
  query AgentRows($customer: ID!, $environment: String, $ids: [ID!]!) {
    agents(customerId: $customer, environment: $environment, filter: { ids: $ids }, first: 100) {
      nodes {
        ...AgentRow
      }
    }
  }
`);

/** The models to choose from. */
export const ModelsDocument = graphql(`
  query ModelsOfCustomer($customer: ID!, $environment: String) {
    modelsInUse(customerId: $customer, environment: $environment, first: 50) {
      name
      agentCount
    }
  }
`);

export const CreateAgentDocument = graphql(`
  mutation CreateAgent($input: CreateAgentInput!) {
    createAgent(input: $input) {
      agent {
        id
        name
      }
      userErrors {
        code
        message
        field
        path
      }
    }
  }
`);

export const UpdateAgentDocument = graphql(`
  mutation UpdateAgent($input: UpdateAgentInput!) {
    updateAgent(input: $input) {
      agent {
        id
        name
      }
      userErrors {
        code
        message
        field
        path
      }
    }
  }
`);

export const ArchiveAgentDocument = graphql(`
  mutation ArchiveAgent($input: ArchiveAgentInput!) {
    archiveAgent(input: $input) {
      agent {
        id
        name
      }
      userErrors {
        code
        message
        field
        path
      }
    }
  }
`);

export const RestoreAgentDocument = graphql(`
  mutation RestoreAgent($input: RestoreAgentInput!) {
    restoreAgent(input: $input) {
      agent {
        id
        name
      }
      userErrors {
        code
        message
        field
        path
      }
    }
  }
`);

/** Who can be responsible for an agent. */
export const OwnersDocument = graphql(`
  query Owners($customer: ID!) {
    customer(id: $customer) {
      id
      members(first: 100) {
        nodes {
          id
          role
          user {
            id
            name
            email
          }
        }
      }
    }
  }
`);
