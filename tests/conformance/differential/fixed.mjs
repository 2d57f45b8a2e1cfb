// The cases that are checked in, as `fixed.jsonl`: those by hand, then some of each way to break a rule, then right ones.

import { readFileSync } from "node:fs";
import { BREAKS } from "./breaks/index.mjs";
import { BY_HAND } from "./byhand.mjs";
import { broken, caseOf, right, scrambled } from "./cases.mjs";
import { judge } from "./judge.mjs";

export const FILE = new URL("fixed.jsonl", import.meta.url);

/** Each case has its own seed: a change to the schema or to one way leaves the others as they are. */
const SEED = "fixed";
const RIGHT = 90;
const SCRAMBLED = 50;
/** How many of a way: there are many values and types that can be wrong, and few texts. */
const TIMES = { parse: 1, validate: 2, operation: 2, variables: 4, arguments: 2 };
const MANY = ["5.3.2 ", "5.6.1 ", "5.8.5 "];

/** All of them. */
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

/** JSON lines. */
export const lines = (cases) => cases.map((one) => `${JSON.stringify(one)}\n`).join("");

/** The cases as they are checked in. */
export const kept = () => readFileSync(FILE, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
