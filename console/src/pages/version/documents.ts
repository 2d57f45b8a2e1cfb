import { graphql } from "~/api/graphql";

/** All that a version holds. It never changes, so it is read once. */
export const VersionContentFragment = graphql(`
  fragment VersionContent on AgentVersion {
    id
    number
    message
    createdAt
    createdBy {
      kind
      displayName
    }
    modelName
    modelParameters
    systemPrompt
    extensions
    contentHash
    bytesHash
    contentBytes
    variables
    tools {
      name
      title
      description
      inputSchema
      outputSchema
      annotations
      icons
      execution
      strict
      _meta
      additional
    }
  }
`);

export const VersionContentDocument = graphql(`
  query VersionContentOf($agent: ID!, $number: Int!) {
    agent(id: $agent) {
      id
      version(number: $number) {
        ...VersionContent
      }
    }
  }
`);

/** What moves around a version: where it serves, and which others there are. */
export const VersionPlaceDocument = graphql(`
  query VersionPlace($agent: ID!) {
    agent(id: $agent) {
      id
      name
      archivedAt
      viewerPermissions
      latestVersion {
        id
        number
      }
      versions(first: 30) {
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
        viewerPermissions
      }
    }
  }
`);
