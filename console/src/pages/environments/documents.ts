import { graphql } from "~/api/graphql";

export const EnvironmentRulesFragment = graphql(`
  fragment EnvironmentRules on Environment {
    id
    key
    name
    rank
    isDefault
    minSoakSeconds
    onBreaking
    allowedModels
    activateRole
    createdAt
    archivedAt
    promoteFrom {
      id
      key
      isDefault
    }
  }
`);

export const EnvironmentsDocument = graphql(`
  query Environments($customer: ID!) {
    customer(id: $customer) {
      id
      environments(archived: true) {
        ...EnvironmentRules
      }
      usage {
        environments {
          used
          limit
        }
      }
    }
  }
`);

/** How many agents serve there: an environment is archived when none does. */
export const EnvironmentServingDocument = graphql(`
  query EnvironmentServing($customer: ID!, $environment: String!) {
    customer(id: $customer) {
      id
      agents(environment: $environment, filter: { serving: true }, first: 1) {
        totalCount
      }
    }
  }
`);

export const CreateEnvironmentDocument = graphql(`
  mutation CreateEnvironment($input: CreateEnvironmentInput!) {
    createEnvironment(input: $input) {
      environment {
        id
        key
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

export const UpdateEnvironmentDocument = graphql(`
  mutation UpdateEnvironment($input: UpdateEnvironmentInput!) {
    updateEnvironment(input: $input) {
      environment {
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

export const ArchiveEnvironmentDocument = graphql(`
  mutation ArchiveEnvironment($input: ArchiveEnvironmentInput!) {
    archiveEnvironment(input: $input) {
      environment {
        id
        archivedAt
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

export const RestoreEnvironmentDocument = graphql(`
  mutation RestoreEnvironment($input: RestoreEnvironmentInput!) {
    restoreEnvironment(input: $input) {
      environment {
        id
        archivedAt
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
