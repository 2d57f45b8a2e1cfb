import { graphql } from "~/api/graphql";

export const FirstCustomerDocument = graphql(`
  query FirstCustomer {
    customers(first: 1) {
      nodes {
        id
      }
    }
  }
`);

export const CreateFirstCustomerDocument = graphql(`
  mutation CreateFirstCustomer($input: CreateCustomerInput!) {
    createCustomer(input: $input) {
      customer {
        id
        name
      }
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const SampleEnvironmentDocument = graphql(`
  mutation SampleEnvironment($input: CreateEnvironmentInput!) {
    createEnvironment(input: $input) {
      environment {
        id
        key
      }
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const SampleAgentDocument = graphql(`
  mutation SampleAgent($input: CreateAgentInput!) {
    createAgent(input: $input) {
      agent {
        id
        name
      }
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const SampleVersionDocument = graphql(`
  mutation SampleVersion($input: PublishVersionInput!) {
    publishVersion(input: $input) {
      version {
        id
        number
      }
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const SampleActivationDocument = graphql(`
  mutation SampleActivation($input: ActivateVersionInput!) {
    activateVersion(input: $input) {
      activation {
        id
      }
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const SampleRollbackDocument = graphql(`
  mutation SampleRollback($input: RollbackInput!) {
    rollback(input: $input) {
      activation {
        id
      }
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);
