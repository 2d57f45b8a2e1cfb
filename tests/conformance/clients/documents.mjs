// The operations of scenario.graphql by name, each with the fragments that it spreads.

import { readFileSync } from "node:fs";
import { parse, separateOperations } from "graphql";

const text = readFileSync(new URL("scenario.graphql", import.meta.url), "utf8");
export const documents = separateOperations(parse(text, { noLocation: true }));

