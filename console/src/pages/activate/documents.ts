import { graphql } from "~/api/graphql";

/** What a version is called by. */
export const VersionNameFragment = graphql(`
  fragment VersionName on AgentVersion {
    id
    number
    modelName
    message
  }
`);

/** What the dialog needs to know of the agent before it can plan. */
export const ActivationSubjectDocument = graphql(`
  query ActivationSubject($agent: ID!, $environment: String!) {
    agent(id: $agent) {
      id
      name
      archivedAt
      servings {
        environment {
          id
          key
          name
          isDefault
          activateRole
        }
        activeVersion {
          ...VersionName
        }
        rollbackTarget {
          ...VersionName
        }
        latestActivation {
          activatedAt
          reason
          activatedBy {
            displayName
          }
          version {
            number
          }
        }
        viewerPermissions
      }
      activations(environments: [$environment], first: 50) {
        nodes {
          id
          activatedAt
          version {
            ...VersionName
          }
        }
      }
    }
  }
`);

export const ActivationPlanFragment = graphql(`
  fragment PlanParts on ActivationPlan {
    planHash
    revision
    impact
    decision
    mustConfirm
    affectedGateways
    pendingGateways
    environment {
      key
      isDefault
    }
    previousVersion {
      ...VersionName
    }
    version {
      ...VersionName
    }
    findings {
      impact
      path
      toolName
      before
      after
      message
    }
    policy {
      rule
      effect
      message
    }
  }
`);

export const ActivationPlanDocument = graphql(`
  query ActivationPlanOf($agent: ID!, $environment: String!, $version: ID) {
    activationPlan(agentId: $agent, environment: $environment, versionId: $version) {
      ...PlanParts
    }
  }
`);

export const ActivationResultFragment = graphql(`
  fragment ActivationResult on ActivateVersionPayload {
    revision
    activation {
      id
      activatedAt
      previousVersion {
        ...VersionName
      }
      version {
        ...VersionName
      }
    }
    serving {
      activeVersion {
        ...VersionName
      }
    }
    userErrors {
      code
      message
    }
  }
`);

export const ActivateVersionDocument = graphql(`
  mutation ActivateVersion($input: ActivateVersionInput!) {
    answer: activateVersion(input: $input) {
      ...ActivationResult
    }
  }
`);

export const PromoteVersionDocument = graphql(`
  mutation PromoteVersion($input: PromoteVersionInput!) {
    answer: promoteVersion(input: $input) {
      ...ActivationResult
    }
  }
`);

export const RollBackDocument = graphql(`
  mutation RollBack($input: RollbackInput!) {
    answer: rollback(input: $input) {
      ...ActivationResult
    }
  }
`);

export const DeactivateDocument = graphql(`
  mutation Deactivate($input: DeactivateInput!) {
    answer: deactivate(input: $input) {
      ...ActivationResult
    }
  }
`);
