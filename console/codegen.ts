// Generates the documents' types from the released schema, and from `ahead.graphql` while that exists.
import type { CodegenConfig } from "@graphql-codegen/cli";
import { schemaText } from "./scripts/schema.mjs";

const config: CodegenConfig = {
  schema: schemaText(),
  documents: ["src/**/*.{ts,tsx}", "!src/__generated__/**"],
  generates: {
    "src/__generated__/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { Cursor: "string", Date: "string", DateTime: "string", JSON: "unknown", Revision: "string" },
      },
    },
  },
};

export default config;
