import { graphql } from "~/api/graphql";

export const KeysDocument = graphql(`
  query Keys($customer: ID!, $after: String) {
    customer(id: $customer) {
      id
      apiKeys(first: 100, after: $after) {
        totalCount
        nodes {
          id
          name
          grantedScopes
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
      usage {
        apiKeys {
          used
          limit
        }
      }
    }
  }
`);

export const CreateApiKeyDocument = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      apiKey {
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

export const RotateApiKeyDocument = graphql(`
  mutation RotateApiKey($input: RotateApiKeyInput!) {
    rotateApiKey(input: $input) {
      apiKey {
        id
        name
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

export const RevokeApiKeyDocument = graphql(`
  mutation RevokeApiKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) {
      apiKey {
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
