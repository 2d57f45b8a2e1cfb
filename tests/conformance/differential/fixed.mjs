// The checked-in cases of `fixed.jsonl`: handwritten ones, then some for each way to break a rule, then valid ones.

import { readFileSync } from "node:fs";
import { BREAKS } from "./breaks/index.mjs";
import { BY_HAND } from "./byhand.mjs";
import { broken, caseOf, right, scrambled } from "./cases.mjs";
import { judge } from "./judge.mjs";

export const FILE = new URL("fixed.jsonl", import.meta.url);

/** Each case has its own seed, so that a change to the schema or to one way leaves the others unchanged. */
const SEED = "fixed";
const RIGHT = 90;
const SCRAMBLED = 50;
/** The number of cases for each way: many values and types can be wrong, but few texts. */
const TIMES = { parse: 1, validate: 2, operation: 2, variables: 4, arguments: 2 };
const MANY = ["5.3.2 ", "5.6.1 ", "5.8.5 "];

/** All checked-in cases. */
export function fixed(schema) {
  const byHand = BY_HAND.map(({ name, rule, ...request }) => {
    const found = judge(schema, request);
    return caseOf(name, request, { ...found, rule: found.rule ?? rule });
  });
  const wrong = BREAKS.flatMap((way) => {
    const times = MANY.some((of) => way.rule.startsWith(of)) ? 3 : TIMES[way.stage];
    return Array.from({ length: times }, (_, at) => {
      const name = `${way.name} (${at + 1})`;
      return { ...broken(schema, `${SEED}/${name}`, way), name };
    });
  });
  const valid = Array.from({ length: RIGHT }, (_, at) => ({ ...right(schema, `${SEED}/${at}`), name: `right (${at + 1})` }));
  const mixed = Array.from({ length: SCRAMBLED }, (_, at) => ({ ...scrambled(schema, `${SEED}/scrambled/${at}`), name: `scrambled (${at + 1})` }));
  return [...byHand, ...wrong, ...valid, ...mixed];
}

/** Serialises cases as JSON lines. */
export const lines = (cases) => cases.map((one) => `${JSON.stringify(one)}\n`).join("");

/** Reads the checked-in cases. */
export const kept = () => readFileSync(FILE, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
