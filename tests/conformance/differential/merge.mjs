// Merges a document with repeated response keys: builds the equivalent document without fragments, directives and
// duplicates, with each key once (GraphQL, section 6.3.2). graphql-js 16 collects the fields.

import { Kind, getNamedType, getOperationAST, isAbstractType, isLeafType, parse, print } from "graphql";
import { collectFields, collectSubfields } from "graphql/execution/collectFields.js";
import { getVariableValues } from "graphql/execution/values.js";
import { judge } from "./judge.mjs";
import * as n from "./nodes.mjs";
import { request, wire } from "./operations.mjs";
import { Random } from "./random.mjs";

/** The merged document of a valid request. Undefined if no key is repeated, or if a selection set would be empty. */
export function merged(schema, { document: text, operationName, variables }) {
  const document = parse(text);
  const operation = getOperationAST(document, operationName);
  const fragments = Object.fromEntries(document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((node) => [node.name.value, node]));
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  const used = new Set();
  let isEmpty = false;
  let isRepeated = false;

  const fieldsOf = (type, collected) => {
    if (collected.size === 0) isEmpty = true;
    return [...collected.values()].map((nodes) => fieldOf(type, nodes));
  };
  const fieldOf = (type, nodes) => {
    const [first] = nodes;
    if (nodes.length > 1) isRepeated = true;
    const { value: name } = first.name;
    const below = name === "__typename" ? undefined : getNamedType(type.getFields()[name].type);
    JSON.stringify(first.arguments, (_, node) => {
      if (node?.kind === Kind.VARIABLE) used.add(node.name.value);
      return node;
    });
    const selections = !below || isLeafType(below) ? undefined : selectionsOf(below, nodes);
    return n.field(name, { alias: first.alias?.value, args: first.arguments, selections });
  };
  const selectionsOf = (type, nodes) => {
    if (!isAbstractType(type)) return fieldsOf(type, collectSubfields(schema, fragments, coerced, type, nodes));
    return schema.getPossibleTypes(type).map((concrete) => n.inline(concrete.name, fieldsOf(concrete, collectSubfields(schema, fragments, coerced, concrete, nodes))));
  };

  const root = schema.getRootType(operation.operation);
  const selections = fieldsOf(root, collectFields(schema, fragments, coerced, root, operation.selectionSet));
  if (isEmpty || !isRepeated) return undefined;
  const definitions = operation.variableDefinitions.filter(({ variable }) => used.has(variable.name.value));
  const whole = { ...operation, variableDefinitions: definitions, selectionSet: n.set(selections) };
  return print({ kind: Kind.DOCUMENT, definitions: [whole] });
}

/** Generates `count` queries with repeated keys, each with its merged document. */
export function* mergeable(schema, seed, count) {
  for (let at = 0, made = 0; made < count; at += 1) {
    const name = `${seed}/${at}`;
    const given = wire(request(schema, new Random(name), { kinds: ["query"], isSteady: true }));
    const whole = merged(schema, given);
    if (!whole) continue;
    const isRight = [given, { ...given, document: whole }].every((one) => judge(schema, one).verdict === "ok");
    if (!isRight) throw new Error(`${name}: merging made an invalid document of ${JSON.stringify(given)}`);
    made += 1;
    yield { name, ...given, merged: whole };
  }
}
