import { graphql } from "~/api/graphql";

export const PeopleDocument = graphql(`
  query People($customer: ID!, $after: String) {
    customer(id: $customer) {
      id
      members(first: 100, after: $after) {
        totalCount
        nodes {
          id
          createdAt
          email
          role
          source
          user {
            id
            name
            identities {
              issuer
              subject
            }
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
      invitations(first: 100) {
        totalCount
        nodes {
          id
          email
          role
          createdAt
          expiresAt
          acceptUrl
          invitedBy {
            displayName
          }
        }
      }
      usage {
        members {
          used
          limit
        }
      }
    }
  }
`);

export const InviteMemberDocument = graphql(`
  mutation InviteMember($input: InviteMemberInput!) {
    inviteMember(input: $input) {
      invitation {
        id
        email
        role
        expiresAt
        acceptUrl
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

export const AddMemberDocument = graphql(`
  mutation AddMember($input: AddMemberInput!) {
    addMember(input: $input) {
      membership {
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

export const ChangeMemberRoleDocument = graphql(`
  mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
    changeMemberRole(input: $input) {
      membership {
        id
        role
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

export const RemoveMemberDocument = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) {
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

export const RevokeInvitationDocument = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) {
      invitationId
      userErrors {
        code
        field
        path
        message
      }
    }
  }
`);
