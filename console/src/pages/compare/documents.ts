import { graphql } from "~/api/graphql";

/** The versions to choose from. */
export const CompareVersionsDocument = graphql(`
  query CompareVersions($agent: ID!) {
    agent(id: $agent) {
      id
      name
      viewerPermissions
      archivedAt
      latestVersion {
        id
        number
      }
      versions(first: 100) {
        nodes {
          id
          number
          message
        }
      }
      servings {
        environment {
          id
          key
          isDefault
        }
        activeVersion {
          id
          number
        }
      }
    }
  }
`);

/** What differs between two versions: it never changes. */
export const CompareDocument = graphql(`
  query Compare($agent: ID!, $from: Int!, $to: Int!) {
    agent(id: $agent) {
      id
      diff(from: $from, to: $to) {
        isSame
        impact
        toolsReordered
        modelNameChanged
        from {
          id
          number
          modelName
          message
          createdAt
          createdBy {
            displayName
          }
        }
        to {
          id
          number
          modelName
          message
          createdAt
          createdBy {
            displayName
          }
        }
        findings {
          impact
          path
          toolName
          before
          after
          message
        }
        changes {
          path
          kind
          before
          after
        }
        hunks {
          oldStart
          newStart
          lines {
            kind
            text
          }
        }
      }
    }
  }
`);
