// What Redocly's linter says of the description of REST, by its recommended rules: what `redocly lint` prints.
//
//   node redocly.mjs ../../docs/openapi.json
//
// On stdout, one JSON object a line for each problem, warnings too. Exit code 0: there is none.

import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended"] });
const problems = await lint({ ref: process.argv[2], config });
for (const { ruleId, severity, message, location } of problems) {
  console.log(JSON.stringify({ ruleId, severity, message, at: location[0]?.pointer }));
}
process.exitCode = problems.length === 0 ? 0 : 1;
