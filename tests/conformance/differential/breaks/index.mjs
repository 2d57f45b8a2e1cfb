// Ways to break one rule of a valid request. Each changes the request, and returns false if the request has nothing
// that it could break. The judge decides which rule was broken.

import { FINER, SECTIONS, STAGES } from "../judge.mjs";
import { FIELDS } from "./fields.mjs";
import { FRAGMENTS } from "./fragments.mjs";
import { CHOICES, OPERATIONS } from "./operations.mjs";
import { TEXT } from "./text.mjs";
import { VALUES } from "./values.mjs";
import { ARGUMENTS, COERCED, VARIABLES } from "./variables.mjs";

const section = (number) => [...Object.values(SECTIONS), ...FINER.map(([, , finer]) => finer)].find((of) => of.startsWith(`${number} `));

/**
 * All ways, each with its name, the section that it breaks, the stage that rejects it, and the kinds of operations
 * that it needs.
 */
export const BREAKS = [
  ...[...OPERATIONS, ...FIELDS, ...FRAGMENTS, ...VALUES, ...VARIABLES].map(([number, name, apply, { root, also = [] } = {}]) => ({
    name,
    rule: section(number),
    also: also.map(section),
    stage: "validate",
    apply,
    root,
    kinds: root ? ["mutation"] : number === "5.2.4.1" && !name.startsWith("another") ? ["subscription"] : undefined,
  })),
  ...CHOICES.map(([name, apply]) => ({ name, rule: STAGES.operation, stage: "operation", apply })),
  ...COERCED.map(([name, apply]) => ({ name, rule: STAGES.variables, stage: "variables", apply })),
  ...ARGUMENTS.map(([name, apply, { root } = {}]) => ({
    name,
    rule: STAGES.arguments,
    stage: "arguments",
    apply,
    root,
    kinds: root ? ["mutation"] : undefined,
  })),
  ...TEXT.map(([name, write]) => ({ name, rule: STAGES.parse, stage: "parse", write })),
];
