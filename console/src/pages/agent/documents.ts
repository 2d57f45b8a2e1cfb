import { graphql } from "~/api/graphql";

/** The agent, and what it serves where. */
export const AgentDocument = graphql(`
  query Agent($agent: ID!) {
    agent(id: $agent) {
      id
      name
      description
      createdAt
      archivedAt
      viewerPermissions
      owner {
        id
        name
        email
      }
      latestVersion {
        id
        number
      }
      servings {
        environment {
          id
          key
          name
          isDefault
          activateRole
          promoteFrom {
            id
            key
          }
        }
        activatedAt
        activeVersion {
          id
          number
          modelName
          message
        }
        rollbackTarget {
          id
          number
        }
        latestActivation {
          id
          reason
          activatedAt
          activatedBy {
            displayName
          }
          previousVersion {
            id
            number
          }
        }
        viewerPermissions
      }
    }
  }
`);

export const AgentVersionsDocument = graphql(`
  query AgentVersions($agent: ID!, $after: String) {
    agent(id: $agent) {
      id
      versions(first: 30, after: $after) {
        pageInfo {
          hasNextPage
          endCursor
        }
        nodes {
          id
          number
          message
          modelName
          createdAt
          createdBy {
            displayName
          }
          diff {
            impact
            isSame
            modelNameChanged
            toolsAdded
            toolsRemoved
            toolsChanged
          }
        }
      }
    }
  }
`);

export const AgentActivityDocument = graphql(`
  query AgentActivity($agent: ID!, $environments: [String!], $after: String) {
    agent(id: $agent) {
      id
      activations(environments: $environments, first: 50, after: $after) {
        pageInfo {
          hasNextPage
          endCursor
        }
        nodes {
          id
          activatedAt
          reason
          revision
          activatedBy {
            displayName
          }
          environment {
            id
            key
            isDefault
          }
          previousVersion {
            id
            number
          }
          version {
            id
            number
            message
          }
        }
      }
    }
  }
`);
