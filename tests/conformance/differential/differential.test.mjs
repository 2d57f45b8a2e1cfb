// Tests the judge, the generator, and the checked-in cases. Run by `node --test differential.test.mjs`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { getOperationAST, parse, recommendedRules, specifiedRules, validate, visit } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";
import { BREAKS } from "./breaks/index.mjs";
import { BY_HAND } from "./byhand.mjs";
import { cases } from "./cases.mjs";
import { DIFFERENCES } from "./differences.mjs";
import { FILE, fixed, kept, lines } from "./fixed.mjs";
import { FINER, RULES, SECTIONS, STAGES, judge } from "./judge.mjs";
import { merged, mergeable } from "./merge.mjs";
import { isInstant, schema, schemaOf } from "./schema.mjs";

test("the judge and whoever wrote the cases by hand agree", () => {
  for (const one of BY_HAND) {
    const found = judge(schema, one);
    assert.equal(found.verdict, one.verdict, `${one.name}: ${found.message}`);
    const isOfValidation = /^5\.\d/.test(one.rule) && found.verdict === "refused";
    if (isOfValidation) assert.ok(found.rules.some((rule) => rule.startsWith(`${one.rule} `)), `${one.name}: ${found.rules}`);
  }
  assert.equal(new Set(BY_HAND.map(({ name }) => name)).size, BY_HAND.length, "a name is used twice");
});

test("fixed.jsonl is what is generated", () => {
  const made = fixed(schema);
  assert.ok(lines(made) === readFileSync(FILE, "utf8"), "run `npm run -s differential -- --write` in tests, and look at what changed");
  assert.ok(made.length >= 400);
  assert.equal(new Set(made.map(({ name }) => name)).size, made.length, "a name is used twice");
});

test("every section and every stage is broken by some case", () => {
  const sections = [...Object.values(SECTIONS), ...FINER.map(([, , section]) => section), ...Object.values(STAGES)];
  const refused = kept().filter(({ verdict }) => verdict === "refused");
  for (const section of sections) assert.ok(refused.filter(({ rule }) => rule === section).length >= 2, section);
});

test("a judge without any one of its rules is found out", () => {
  const refused = kept().filter(({ stage }) => stage === "validate").map(({ document }) => parse(document));
  const reporters = refused.map((document) => RULES.filter((rule) => validate(schema, document, [rule], { maxErrors: 1 }).length > 0));
  for (const rule of RULES) {
    assert.ok(reporters.some((rules) => rules.length === 1 && rules[0] === rule), rule.name);
  }
});

test("graphql-js differs from the judge where the table says so, and as it says", () => {
  const plain = ({ document: text, operationName, variables = {} }) => {
    try {
      const document = parse(text);
      if (validate(schema, document, specifiedRules).length > 0) return "refused";
      const operation = getOperationAST(document, operationName);
      return operation && !getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors ? "ok" : "refused";
    } catch {
      return "refused";
    }
  };
  for (const { name, graphqlJs, right, examples } of DIFFERENCES) {
    for (const example of examples) {
      assert.equal(plain(example), graphqlJs, `${name}: graphql-js, ${example.document}`);
      assert.equal(judge(schema, example).verdict, right, `${name}: ${example.document}`);
    }
  }
  assert.equal(RULES.length, specifiedRules.length - recommendedRules.length);
});

test("docs/conformance.md names each difference, and counts right", () => {
  const text = readFileSync(new URL("../../../docs/conformance.md", import.meta.url), "utf8");
  const plain = text.replace(/\s+/g, " ");
  for (const figure of [`the ${kept().length} cases of`, `in one of ${BREAKS.length} ways`]) assert.ok(plain.includes(figure), figure);
  for (const { name, section } of DIFFERENCES) assert.ok(text.includes(`| ${name} (${section}) |`), name);
});

test("one seed makes the same cases again, another one others", () => {
  const some = (seed) => lines([...cases(schema, seed, 60)]);
  const one = some("1");
  assert.equal(one, some("1"));
  assert.notEqual(one, some("2"));
  const verdicts = one.trimEnd().split("\n").map((line) => JSON.parse(line).verdict);
  assert.ok(verdicts.filter((verdict) => verdict === "ok").length >= 24, "at least two of five must be valid");
});

test("a scalar that has no rule is not taken for one that accepts everything", () => {
  assert.throws(() => schemaOf("scalar Money type Query { money: Money }"), /no rule for the scalar Money/);
});

test("instants are days that there are", () => {
  for (const text of ["2028-02-29T00:00:00Z", "2026-11-22t12:00:00.5+05:30"]) assert.ok(isInstant(text), text);
  for (const text of ["2026-02-29T00:00:00Z", "2026-11-22T12:00:00", "2026-11-22", "2026-11-31T00:00:00Z", "2026-11-22T24:00:00Z", "", 1]) {
    assert.ok(!isInstant(text), String(text));
  }
});

test("merging is as the specification has it", () => {
  const of = (document, variables = {}) => merged(schema, { document, variables })?.replace(/\s+/g, " ");
  assert.equal(
    of("{ viewer { kind } ...F viewer { name } } fragment F on Query { viewer { kind user { id } } ... { viewer { user { name } } } }"),
    "{ viewer { kind user { id name } name } }",
  );
  assert.equal(
    of("query ($x: Boolean!, $n: Int) { a: agents(first: $n) @include(if: $x) { totalCount } agents @skip(if: $x) { totalCount } a: agents(first: $n) { totalCount } }", { x: true }),
    "query ($n: Int) { a: agents(first: $n) { totalCount } }",
  );
  assert.match(of('{ node(id: "x") { id ... on Agent { id name } ... on Node { __typename } } }'), /\.\.\. on Agent \{ id name __typename \} \.\.\. on AgentVersion \{ id __typename \}/);
  assert.equal(of("{ viewer { kind } agents { totalCount } }"), undefined, "nothing is repeated");
});

test("what merges has duplicates, and what it merges to has neither duplicates nor fragments", () => {
  for (const { merged: whole } of mergeable(schema, "1", 50)) {
    visit(parse(whole), {
      FragmentSpread: () => assert.fail(whole),
      Directive: () => assert.fail(whole),
      SelectionSet({ selections }) {
        const keys = selections.map((node) => (node.typeCondition?.name ?? node.alias ?? node.name).value);
        assert.equal(new Set(keys).size, keys.length, whole);
      },
    });
  }
});
