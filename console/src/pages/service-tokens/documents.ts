import { graphql } from "~/api/graphql";

export const ServiceTokensDocument = graphql(`
  query ServiceTokens($after: String) {
    serviceTokens(first: 100, after: $after) {
      totalCount
      nodes {
        id
        name
        grantedScopes
        customerIds
        environments
        createdAt
        createdBy {
          displayName
        }
        expiresAt
        lastUsedAt
        replacedById
        revokedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** Names of the customers that tokens are limited to. */
export const TokenCustomersDocument = graphql(`
  query TokenCustomers($ids: [ID!]!) {
    nodes(ids: $ids) {
      id
      ... on Customer {
        name
      }
    }
  }
`);

/** Customers by a part of their name, to limit a token to. */
export const FindCustomersDocument = graphql(`
  query FindCustomers($name: String!) {
    customers(filter: { nameContains: $name }, first: 20) {
      nodes {
        id
        name
      }
    }
  }
`);

export const CreateServiceTokenDocument = graphql(`
  mutation CreateServiceToken($input: CreateServiceTokenInput!) {
    createServiceToken(input: $input) {
      serviceToken {
        id
        name
      }
      secret
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);

export const RotateServiceTokenDocument = graphql(`
  mutation RotateServiceToken($input: RotateServiceTokenInput!) {
    rotateServiceToken(input: $input) {
      serviceToken {
        id
      }
      secret
      previous {
        id
        expiresAt
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

export const RevokeServiceTokenDocument = graphql(`
  mutation RevokeServiceToken($input: RevokeServiceTokenInput!) {
    revokeServiceToken(input: $input) {
      serviceToken {
        id
        revokedAt
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
