// Runs Redocly's linter with its recommended rules on the description of REST, like `redocly lint`.
//
//   node redocly.mjs ../../docs/openapi.json
//
// Prints one JSON object a line for each problem, warnings included. Exit code 0: there is none.

import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended"] });
const problems = await lint({ ref: process.argv[2], config });
for (const { ruleId, severity, message, location } of problems) {
  console.log(JSON.stringify({ ruleId, severity, message, at: location[0]?.pointer }));
}
process.exitCode = problems.length === 0 ? 0 : 1;
