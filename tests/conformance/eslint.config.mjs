// @graphql-eslint on the schema and on the documents of the scenario. From the repository's top:
//
//   node tests/node_modules/eslint/bin/eslint.js --config tests/conformance/eslint.config.mjs --max-warnings 0 \
//     schema.graphql tests/conformance/clients/scenario.graphql
//
// A rule that is off says why. The documents of relay/Scenario.js are checked by their own compiler.

import graphql from "@graphql-eslint/eslint-plugin";

const parserOptions = { graphQLConfig: { schema: "schema.graphql", documents: "tests/conformance/clients/scenario.graphql" } };
const languageOptions = { parser: graphql.parser, parserOptions };
const plugins = { "@graphql-eslint": graphql };

export default [
  {
    files: ["schema.graphql"],
    languageOptions,
    plugins,
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // How a description is quoted follows from whether it fits on a line: the SDL is printed by the service.
      "@graphql-eslint/description-style": "off",
      "@graphql-eslint/relay-edge-types": ["error", {
        // `nodes` beside `edges`, `userErrors`, and short lists of plain values are lists too.
        listTypeCanWrapOnlyEdgeType: false,
        // Relay's specification does not ask for it. Keys, invitations, members and the audit are seen by the right to
        // look at their customer's, and watchers come and go: `node` does not answer them.
        shouldImplementNode: false,
      }],
      "@graphql-eslint/strict-id-in-types": ["error", {
        exceptions: {
          suffixes: ["Payload", "Connection", "Edge"],
          // Parts of something that has an id, answers about it, or entries that have a cursor.
          types: [
            "ActiveConfig", "Actor", "Billing", "Change", "ConfigEvent", "Membership", "PageInfo", "Quota", "Tool", "Usage",
            "UserError", "VersionDiff", "Viewer", "ViewerMembership",
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
