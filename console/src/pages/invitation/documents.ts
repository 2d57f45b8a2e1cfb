import { graphql } from "~/api/graphql";

export const PendingInvitationsDocument = graphql(`
  query PendingInvitations {
    viewer {
      displayName
      user {
        email
      }
      pendingInvitations {
        customerName
        role
        expiresAt
        blockedBy
      }
      memberships {
        role
        customer {
          id
          name
          createdAt
        }
      }
    }
  }
`);
