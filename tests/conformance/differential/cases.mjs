// Generates cases from the schema: valid requests, and requests that break one rule each.

import { getOperationAST, parse, print, stripIgnoredCharacters } from "graphql";
import { Broken } from "./breaks/broken.mjs";
import { BREAKS } from "./breaks/index.mjs";
import { judge } from "./judge.mjs";
import { request, wire } from "./operations.mjs";
import { Random } from "./random.mjs";
import { scramble, scratch, spaced } from "./scramble.mjs";

/** How many requests to try until one contains what is to be broken, and the change breaks nothing else. */
const TRIES = 400;
const KINDS = ["query", "query", "mutation", "mutation", "mutation", "subscription"];

/** A case in the form that is stored: without missing members. `kind` is the operation's, if one can be chosen. */
export function caseOf(name, { document, operationName, variables }, { verdict, rule, stage }) {
  const kind = stage === "parse" ? undefined : getOperationAST(parse(document), operationName)?.operation;
  return { name, document, operationName, variables, kind, verdict, rule, stage };
}

/** The document in one of several layouts: as people write it, minified, or with unusual ignored tokens. */
function written(random, { document, ...others }) {
  const style = random.pick([(text) => text, stripIgnoredCharacters, stripIgnoredCharacters, (text) => spaced(random, text)]);
  return { document: style(document), ...others };
}

/** A valid request. */
export function right(schema, seed) {
  const random = new Random(seed);
  const made = written(random, wire(request(schema, random)));
  const verdict = judge(schema, made);
  if (verdict.verdict !== "ok") throw new Error(`${seed}: generated as valid, but is not: ${JSON.stringify({ verdict, made })}`);
  return caseOf("right", made, { ...verdict, rule: "5" });
}

/** A request that breaks only the rule of this way. */
export function broken(schema, seed, way) {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const random = new Random(`${seed} ${tried}`);
    const made = breakOnce(schema, random, way);
    const verdict = made && judge(schema, made);
    const isIt = verdict?.verdict === "refused" && verdict.stage === way.stage && (verdict.rules ?? [verdict.rule]).includes(way.rule);
    const others = (verdict?.rules ?? []).filter((rule) => rule !== way.rule);
    if (isIt && others.every((rule) => way.also.includes(rule))) return caseOf(way.name, made, { ...verdict, rule: way.rule });
  }
  throw new Error(`${seed}: no request was broken by "${way.name}" in ${TRIES} tries`);
}

function breakOnce(schema, random, way) {
  const made = request(schema, random, { kinds: way.kinds ?? KINDS, root: way.root });
  if (way.write) {
    const { document, ...others } = written(random, wire(made));
    return { document: way.write(document), ...others };
  }
  const about = new Broken(schema, random, made);
  if (!way.apply(about)) return undefined;
  const { document, operationName, variables } = about;
  return written(random, { document: print(document), operationName, variables });
}

/**
 * Whether to leave a changed request out: a subscription, because a stream checks ids only when it starts; a number
 * so large that a limit rejects it; and requests with more than one right verdict (`NOT_COMPARED`).
 */
function isOpen({ document, variables }, { kind }, { message }) {
  const numbers = `${document} ${JSON.stringify(variables)}`.replace(/"[^"]*-[^"]*"/g, "");
  return kind === "subscription" || /\d{10}\b/.test(numbers) || /"""/.test(document) || message?.includes("DateTime: ");
}

/** A request with some of its tokens or characters changed, valid or not. */
export function scrambled(schema, seed) {
  for (let tried = 0; ; tried += 1) {
    const random = new Random(`${seed} ${tried}`);
    const { document, ...others } = wire(request(schema, random, { kinds: ["query", "mutation"] }));
    const made = { document: random.pick([scramble, scramble, scratch])(random, document), ...others };
    const verdict = judge(schema, made);
    const one = caseOf("scrambled", made, verdict.verdict === "ok" ? { ...verdict, rule: "5" } : verdict);
    if (!isOpen(made, one, verdict)) return one;
  }
}

/** Generates `count` cases: valid ones, broken ones (each way in turn), and scrambled ones. */
export function* cases(schema, seed, count) {
  for (let at = 0; at < count; at += 1) {
    const own = `${seed}/${at}`;
    const turn = Math.floor(at / 5);
    const made = [
      () => right(schema, own),
      () => broken(schema, own, BREAKS[(2 * turn) % BREAKS.length]),
      () => right(schema, own),
      () => broken(schema, own, BREAKS[(2 * turn + 1) % BREAKS.length]),
      () => scrambled(schema, own),
    ][at % 5]();
    yield { ...made, name: `${own}: ${made.name}` };
  }
}
