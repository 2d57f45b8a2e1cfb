import { graphql } from "~/api/graphql";

/** What moves while a version is written: the newest version, and what serves where. */
export const PublishPlaceDocument = graphql(`
  query PublishPlace($agent: ID!) {
    agent(id: $agent) {
      id
      name
      archivedAt
      viewerPermissions
      latestVersion {
        id
        number
        createdBy {
          displayName
        }
      }
      servings {
        environment {
          id
          key
          isDefault
          activateRole
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

export const ContentWarningsDocument = graphql(`
  query ContentWarnings($content: VersionContentInput!) {
    versionWarnings(content: $content) {
      rule
      path
      line
      message
    }
  }
`);

export const ContentPlanDocument = graphql(`
  query ContentPlan($agent: ID!, $environment: String!, $content: VersionContentInput!) {
    activationPlan(agentId: $agent, environment: $environment, content: $content) {
      ...PlanParts
    }
  }
`);

export const PublishVersionDocument = graphql(`
  mutation PublishVersion($input: PublishVersionInput!) {
    publishVersion(input: $input) {
      isNew
      version {
        id
        number
      }
      warnings {
        rule
        path
        line
        message
      }
      userErrors {
        code
        message
        field
        path
      }
    }
  }
`);
