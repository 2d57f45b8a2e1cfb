// Reads the schema that the documents are held to: `../schema.graphql`.
import { readFileSync } from "node:fs";
import { buildSchema } from "graphql";

/** The schema as an object. */
export function schema() {
  return buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));
}
