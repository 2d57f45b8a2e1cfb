// Finds changes of the schema since the last release that may break clients and aren't named in the changelog.
//
//   node breaking.mjs --released released.graphql --schema ../../schema.graphql --changelog ../../CHANGELOG.md
//
// Prints one JSON object a line for each such change. Exit code 0: there is none.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

/** The tool calls these dangerous, but a client that doesn't send them sees no difference. */
const HARMLESS = ["FIELD_ARGUMENT_ADDED", "INPUT_FIELD_ADDED"];

/**
 * Returns the changes that break clients and aren't named below `### Breaking` in the changelog's section
 * `[Unreleased]`, and the dangerous ones that aren't named anywhere in that section. A change is named by its
 * coordinate in backticks: `Agent.description`, `Query.agents(first:)`, `Role.VIEWER`, `Tool`.
 */
export async function unnamed(released, schema, changelog) {
  const unreleased = changelog.split(/^## /m).find((part) => part.startsWith("[Unreleased]")) ?? "";
  const breaking = unreleased.split(/^### /m).find((part) => part.startsWith("Breaking\n")) ?? "";
  const isNamed = {
    [CriticalityLevel.Breaking]: (coordinate) => breaking.includes(`\`${coordinate}\``),
    [CriticalityLevel.Dangerous]: (coordinate, type) =>
      HARMLESS.includes(type) || unreleased.includes(`\`${coordinate}\``),
    [CriticalityLevel.NonBreaking]: () => true,
  };
  const changes = (await diff(buildSchema(released), buildSchema(schema))).map(({ type, path, message, criticality }) => ({
    type,
    coordinate: type.startsWith("FIELD_ARGUMENT_") ? path.replace(/\.(\w+)$/, "($1:)") : path ?? "schema",
    level: criticality.level,
    message,
  }));
  return changes.filter(({ coordinate, level, type }) => !isNamed[level](coordinate, type));
}

/** The first line of the stored schema names its release, so that no release can forget to store its schema. */
export function forgotten(released, changelog) {
  const last = changelog.match(/^## \[(\d[^\]]*)\]/m)?.[1] ?? "none";
  const kept = released.match(/^# Released: (\S+)\n/)?.[1];
  return kept === last ? [] : [{ level: "STALE", message: `the schema of ${kept} is kept, the last release is ${last}` }];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = { released: { type: "string" }, schema: { type: "string" }, changelog: { type: "string" } };
  const { values } = parseArgs({ options });
  const [released, schema, changelog] = Object.keys(options).map((name) => readFileSync(values[name], "utf8"));
  const told = [...(await unnamed(released, schema, changelog)), ...forgotten(released, changelog)];
  for (const change of told) console.log(JSON.stringify(change));
  process.exitCode = told.length === 0 ? 0 : 1;
}
