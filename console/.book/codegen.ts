import type { CodegenConfig } from "@graphql-codegen/cli";

const string = "string";
const config: CodegenConfig = {
  schema: "schema.graphql",
  documents: "dashboard.ts",
  generates: {
    "./gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { Cursor: string, Date: string, DateTime: string, ID: string, JSON: "unknown", Revision: string },
      },
    },
  },
};
export default config;
