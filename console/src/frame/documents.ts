import { graphql } from "~/api/graphql";

/** What every page needs: who looks, the moment, and the customer that is looked at. */
export const FrameDocument = graphql(`
  query Frame($customer: ID!, $hasCustomer: Boolean!) {
    revision
    viewer {
      displayName
      isOperator
      kind
      platformPermissions
      user {
        id
        name
        email
      }
      memberships {
        role
        customer {
          id
          name
        }
      }
    }
    customer(id: $customer) @include(if: $hasCustomer) {
      id
      name
      erasedAt
      viewerPermissions
      billing {
        status
      }
      environments {
        id
        key
        name
        rank
        isDefault
        activateRole
        promoteFrom {
          key
        }
      }
    }
  }
`);

/** Customers by a part of their name, for the switcher. */
export const SwitcherDocument = graphql(`
  query Switcher($search: String!) {
    named: customers(first: 20, filter: { nameContains: $search }) {
      nodes {
        id
        name
        externalId
      }
    }
    known: customers(first: 5, filter: { externalId: $search }) {
      nodes {
        id
        name
        externalId
      }
    }
  }
`);

/** Names of the customers that were looked at last. */
export const RecentCustomersDocument = graphql(`
  query RecentCustomers($ids: [ID!]!) {
    customers(first: 5, filter: { ids: $ids }) {
      nodes {
        id
        name
        externalId
      }
    }
  }
`);
