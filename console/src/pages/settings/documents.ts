import { graphql } from "~/api/graphql";

export const SettingsDocument = graphql(`
  query Settings {
    viewer {
      displayName
      name
      kind
      user {
        id
        name
        email
      }
      sessions {
        id
        isCurrent
        createdAt
        lastSeenAt
        expiresAt
        network
        client
      }
    }
  }
`);

export const RevokeSessionDocument = graphql(`
  mutation RevokeSession($input: RevokeSessionInput!) {
    revokeSession(input: $input) {
      sessionId
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const RevokeOtherSessionsDocument = graphql(`
  mutation RevokeOtherSessions($input: RevokeOtherSessionsInput!) {
    revokeOtherSessions(input: $input) {
      sessionIds
      revision
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export const UpdateProfileDocument = graphql(`
  mutation UpdateOwnProfile($input: UpdateProfileInput!) {
    updateProfile(input: $input) {
      user {
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
