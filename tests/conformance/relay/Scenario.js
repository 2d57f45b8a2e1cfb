// The scenario's operations for Relay. relay-compiler reads this file and writes its output to __generated__.

import { graphql } from "relay-runtime";

graphql`
  query ScenarioWhoAmIQuery {
    viewer {
      kind
      customerId
    }
  }
`;

graphql`
  query ScenarioReadVersionsQuery($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    agent(id: $id) {
      ...Scenario_versions @arguments(first: $first, after: $after, last: $last, before: $before)
    }
  }
`;

// The pages after the first come through `node`, with the query that Relay generates for this fragment.
graphql`
  fragment Scenario_versions on Agent
  @refetchable(queryName: "ScenarioMoreVersionsQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    id
    name
    versions(first: $first, after: $after, last: $last, before: $before)
      @connection(key: "Scenario_versions", filters: []) {
      totalCount
      edges {
        cursor
        node {
          id
          number
        }
      }
      pageInfo {
        hasNextPage
        endCursor
        hasPreviousPage
        startCursor
      }
    }
  }
`;

graphql`
  fragment Scenario_serving on Node @refetchable(queryName: "ScenarioFetchAgainQuery") {
    __typename
    id
    ... on Agent {
      name
      activeVersion {
        id
        number
      }
    }
  }
`;

graphql`
  query ScenarioListWatchersQuery {
    watchers(first: 1) {
      totalCount
    }
  }
`;

graphql`
  mutation ScenarioPublishMutation($input: PublishVersionInput!) {
    publishVersion(input: $input) {
      version {
        id
        number
      }
      revision
      userErrors {
        code
        field
        message
      }
    }
  }
`;

graphql`
  mutation ScenarioActivateMutation($input: ActivateVersionInput!) {
    activateVersion(input: $input) {
      agent {
        id
        name
        activeVersion {
          id
          number
        }
      }
      revision
      userErrors {
        code
        field
        message
      }
    }
  }
`;

graphql`
  subscription ScenarioWatchSubscription($agentIds: [ID!], $after: Cursor) {
    activations(agentIds: $agentIds, after: $after) {
      id
      cursor
      reason
      version {
        id
        number
      }
    }
  }
`;
