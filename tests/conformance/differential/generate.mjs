// Generates requests from schema.graphql, each with the verdict that the service must reach. Run in `tests`:
//
//   npm run -s differential -- --write                    writes fixed.jsonl
//   npm run -s differential -- --seed 7 --count 5000      prints 5,000 cases as JSON lines
//   npm run -s differential -- --merged --seed 7 --count 500
//       prints 500 requests with repeated fields, each with its merged document
//
// Exit code 2: wrong usage.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cases } from "./cases.mjs";
import { FILE, fixed, lines } from "./fixed.mjs";
import { mergeable } from "./merge.mjs";
import { schema } from "./schema.mjs";

const usage = (message) => {
  console.error(`generate.mjs: ${message}`);
  process.exit(2);
};

const options = { write: { type: "boolean" }, merged: { type: "boolean" }, seed: { type: "string" }, count: { type: "string" } };
const { write, merged, seed, count } = (() => {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return usage(error.message);
  }
})();

if (write) {
  const made = fixed(schema);
  writeFileSync(FILE, lines(made));
  console.error(`${made.length} cases`);
} else {
  if (!seed || !/^\d+$/.test(count ?? "")) usage("give --write, or --seed and --count");
  const made = merged ? mergeable(schema, seed, Number(count)) : cases(schema, seed, Number(count));
  for (const one of made) process.stdout.write(lines([one]));
}
