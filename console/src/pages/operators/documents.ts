import { graphql } from "~/api/graphql";

export const OperatorsDocument = graphql(`
  query Operators($after: String) {
    users(filter: { isOperator: true }, first: 100, after: $after) {
      totalCount
      nodes {
        id
        name
        email
        createdAt
        identities {
          issuer
          subject
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** People with a profile, by a part of the address. */
export const FindUsersDocument = graphql(`
  query FindUsers($email: String!) {
    users(filter: { emailContains: $email, isOperator: false }, first: 10) {
      nodes {
        id
        name
        email
      }
    }
  }
`);

export const AddOperatorDocument = graphql(`
  mutation AddOperator($input: AddOperatorInput!) {
    addOperator(input: $input) {
      user {
        id
        name
        email
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

export const RemoveOperatorDocument = graphql(`
  mutation RemoveOperator($input: RemoveOperatorInput!) {
    removeOperator(input: $input) {
      userId
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);
