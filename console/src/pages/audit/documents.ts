import { graphql } from "~/api/graphql";

export const AuditEntryFragment = graphql(`
  fragment AuditEntry on Change {
    id
    revision
    position
    cursor
    at
    action
    channel
    network
    requestId
    rowHash
    chainHash
    actor {
      id
      kind
      displayName
    }
    agentId
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
    subjectId
    subject {
      __typename
      ... on Activation {
        reason
        version {
          number
        }
        previousVersion {
          number
        }
      }
      ... on ApiKey {
        name
      }
      ... on Invitation {
        email
        role
      }
      ... on ServiceToken {
        name
      }
      ... on User {
        personName: name
        personEmail: email
      }
    }
    fieldChanges {
      path
      kind
      before
      after
    }
  }
`);

/** A customer's entries, newest first. */
export const AuditDocument = graphql(`
  query Audit($customer: ID!, $filter: ChangeFilter, $after: String) {
    customer(id: $customer) {
      id
      changes(filter: $filter, first: 50, after: $after) {
        nodes {
          ...AuditEntry
        }
        pageInfo {
          startCursor
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

/** What stands around the list: how many entries match, and how far the chain is verified. */
export const AuditAroundDocument = graphql(`
  query AuditAround($customer: ID!, $filter: ChangeFilter) {
    auditStatus {
      revision
      chainHash
      verifiedRevision
      verifiedAt
      isIntact
    }
    customer(id: $customer) {
      id
      changes(filter: $filter, first: 1) {
        totalCount
        totalCountIsExact
      }
    }
  }
`);

/** The entries that are newer than the first one shown; a hundred say enough. */
export const NewerChangesDocument = graphql(`
  query NewerChanges($customer: ID!, $filter: ChangeFilter, $before: String!) {
    customer(id: $customer) {
      id
      changes(filter: $filter, last: 100, before: $before) {
        nodes {
          id
        }
      }
    }
  }
`);

/** Names of ids in an entry's fields. */
export const AuditNamesDocument = graphql(`
  query AuditNames($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
      ... on User {
        personName: name
        personEmail: email
      }
      ... on AgentVersion {
        number
      }
      ... on Agent {
        name
      }
      ... on Environment {
        key
      }
      ... on ServiceToken {
        name
      }
    }
  }
`);

/** Agents by a part of their name, for the filter. */
export const AuditAgentsDocument = graphql(`
  query AuditAgents($customer: ID!, $name: String!) {
    customer(id: $customer) {
      id
      agents(filter: { nameContains: $name }, first: 20) {
        nodes {
          id
          name
        }
      }
    }
  }
`);

/** The log from a commit on: a bare revision is a place in the log. */
export const AuditRevisionDocument = graphql(`
  subscription AuditRevision($customer: ID!, $after: Cursor!) {
    changes(customerId: $customer, after: $after) {
      ...AuditEntry
    }
  }
`);
