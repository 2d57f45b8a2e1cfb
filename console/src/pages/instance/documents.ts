import { graphql } from "~/api/graphql";

export const InstanceDocument = graphql(`
  query Instance {
    instance {
      version
      startedAt
      revision
      behind
      watchers
      problems
    }
    auditStatus {
      revision
      verifiedRevision
      verifiedAt
      isIntact
    }
  }
`);
