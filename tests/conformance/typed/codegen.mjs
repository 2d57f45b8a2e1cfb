// Generates TypeScript: for the whole schema and the scenario's documents with GraphQL Code Generator
// (__generated__/schema.ts and __generated__/operations.ts), for REST with openapi-typescript
// (__generated__/openapi.ts).

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import * as typed from "@graphql-codegen/typed-document-node";
import { parse } from "graphql";
import openapi, { astToString } from "openapi-typescript";

const read = (path) => parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const schema = read("../../../schema.graphql");
const documents = [{ location: "scenario.graphql", document: read("../clients/scenario.graphql") }];
const config = {
  // A scalar that isn't listed is an error. An ID is a UUID, so it isn't a number.
  strictScalars: true,
  scalars: { Cursor: "string", Date: "string", DateTime: "string", ID: "string", JSON: "unknown", Revision: "string" },
  useTypeImports: true,
};

const folder = new URL("__generated__/", import.meta.url);
mkdirSync(folder, { recursive: true });
async function write(filename, documents, pluginMap) {
  const plugins = Object.keys(pluginMap).map((name) => ({ [name]: {} }));
  const code = await codegen({ filename, schema, documents, config, plugins, pluginMap });
  writeFileSync(new URL(filename, folder), code);
}
await write("schema.ts", [], { typescript });
await write("operations.ts", documents, { operations, typed });
const description = await openapi(new URL("../../../docs/openapi.json", import.meta.url));
writeFileSync(new URL("openapi.ts", folder), astToString(description));
