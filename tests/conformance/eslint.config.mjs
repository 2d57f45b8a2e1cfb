// Lints the schema and the scenario's documents with @graphql-eslint. From the repository's root:
//
//   node tests/node_modules/eslint/bin/eslint.js --config tests/conformance/eslint.config.mjs --max-warnings 0 \
//     schema.graphql tests/conformance/clients/scenario.graphql
//
// Each rule that is off has a reason. relay-compiler checks the documents of relay/Scenario.js.

import graphql from "@graphql-eslint/eslint-plugin";

const parserOptions = { graphQLConfig: { schema: "schema.graphql", documents: "tests/conformance/clients/scenario.graphql" } };
const languageOptions = { parser: graphql.parser, parserOptions };
const [, naming] = graphql.configs["flat/schema-recommended"].rules["@graphql-eslint/naming-convention"];
const plugins = { "@graphql-eslint": graphql };

export default [
  {
    files: ["schema.graphql"],
    languageOptions,
    plugins,
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // The service prints the SDL, and quotes a description depending on its length.
      "@graphql-eslint/description-style": "off",
      // `_meta` of a tool is spelled as in the Model Context Protocol.
      "@graphql-eslint/naming-convention": ["error", { ...naming, allowLeadingUnderscore: true }],
      "@graphql-eslint/relay-edge-types": ["error", {
        // `nodes` next to `edges`, `userErrors`, and short lists of scalars are lists too.
        listTypeCanWrapOnlyEdgeType: false,
        // Relay's specification doesn't require it. Keys, invitations, members and audit entries are visible only by
        // a right at their customer, and watchers come and go, so `node` doesn't return them.
        shouldImplementNode: false,
      }],
      "@graphql-eslint/strict-id-in-types": ["error", {
        exceptions: {
          suffixes: ["Payload", "Connection", "Edge"],
          // Parts of an object with an id, views of one, or entries with a cursor.
          types: [
            "ActivationCount", "ActivationPlan", "ActiveConfig", "Actor", "AuditStatus", "Billing", "Change", "ChangeCount",
            "ConfigEvent", "Convergence", "CustomerEvent", "DiffHunk", "DiffLine", "FieldChange", "Finding", "Identity",
            "Instance", "Membership", "ModelInUse", "NotServed", "PageInfo", "PendingInvitation", "PinnedConfig",
            "PlanLimits", "PolicyFinding", "Quota", "Serving", "ServingRejection", "Tool", "ToolInUse", "Usage", "UserError",
            "VersionDiff", "Viewer", "ViewerMembership", "Warning",
          ],
        },
      }],
    },
  },
  {
    files: ["tests/conformance/clients/scenario.graphql"],
    languageOptions,
    plugins,
    rules: graphql.configs["flat/operations-recommended"].rules,
  },
];
