// Reads the schema that the documents are held to: `../schema.graphql`, with `ahead.graphql` merged in while it exists.
import { existsSync, readFileSync } from "node:fs";
import { mergeTypeDefs } from "@graphql-tools/merge";
import { buildSchema, print } from "graphql";

const released = new URL("../../schema.graphql", import.meta.url);
const ahead = new URL("../ahead.graphql", import.meta.url);

/** The schema as SDL. */
export function schemaText() {
  const texts = [released, ahead].filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
  return print(mergeTypeDefs(texts, { throwOnConflict: false, useSchemaDefinition: true }));
}

/** The schema as an object. */
export function schema() {
  return buildSchema(schemaText());
}
