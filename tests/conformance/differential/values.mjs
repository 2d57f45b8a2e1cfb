// Values for the schema's input types: literals, and JSON for variables.

import { GraphQLList, GraphQLNonNull, getNullableType, isEnumType, isInputObjectType, isListType, isNonNullType } from "graphql";
import * as n from "./nodes.mjs";

/** Placeholder ids. The tests that execute requests replace them with ids of real rows. */
export const THINGS = {
  agent: "01990000-0000-7000-8000-0000000000a1",
  customer: "01990000-0000-7000-8000-0000000000c1",
  version: "01990000-0000-7000-8000-0000000000e1",
  user: "01990000-0000-7000-8000-0000000000f1",
};

const TEXTS = ["", "Helper", "naïve", "日本", "😀", 'a "word"', "two\nlines", "back\\slash", "{ not a document }", "#no comment"];
/** Keys of environments: another text is refused when the request is executed. */
const ENVIRONMENTS = ["production", "staging", "dev"];
/** By the name of the argument or input field. */
const STRINGS = { environment: ENVIRONMENTS, environments: ENVIRONMENTS, timeZone: ["UTC", "Europe/Berlin"] };
const INSTANTS = ["2026-11-22T12:00:00Z", "2030-01-31t00:00:00.123456z", "2028-02-29T23:59:59+05:30", "2031-06-01T00:00:00-08:00"];

const SMALL = { first: [1, 5], last: [1, 5], number: [1, 3], from: [1, 3], to: [1, 3] };

/** A JSON value of this scalar, for an argument or field of this name. */
function scalar(random, type, place, things) {
  switch (type.name) {
    case "Int":
      return SMALL[place] ? random.whole(...SMALL[place]) : random.pick([0, 1, -1, 7, 2147483647, -2147483648]);
    case "Float":
      return random.pick([0, 0.25, 1]);
    case "Boolean":
      return random.chance(0.5);
    case "String":
      return random.pick(STRINGS[place] ?? TEXTS);
    case "ID":
      return things ? things(place) : random.pick([...Object.values(THINGS), "no id", 7]);
    case "DateTime":
      return random.pick(INSTANTS);
    case "Revision":
    case "Cursor":
      return random.pick(["0", "1", 0, 1]);
    case "JSON":
      return json(random, 3);
    default:
      throw new Error(`values.mjs makes no values of ${type.name}`);
  }
}

function json(random, depth) {
  const leaves = [null, true, false, 0, -12, 0.5, "", "text", "naïve"];
  if (depth === 0 || random.chance(0.3)) return random.pick(leaves);
  const count = random.whole(0, 3);
  if (random.chance(0.4)) return Array.from({ length: count }, () => json(random, depth - 1));
  const names = random.some(["temperature", "type", "properties", "a", "b", "_x"], count);
  return Object.fromEntries(names.map((key) => [key, json(random, depth - 1)]));
}

/** A JSON value that this type accepts. */
export function value(random, type, place, things, mayBeNull = true) {
  if (isNonNullType(type)) return value(random, type.ofType, place, things, false);
  if (mayBeNull && random.chance(0.12)) return null;
  if (isListType(type)) {
    if (random.chance(0.15)) {
      // A single value is coerced to a list; null wouldn't be.
      const item = value(random, getNullableType(type.ofType), place, things, false);
      if (!Array.isArray(item)) return item;
    }
    return Array.from({ length: random.whole(least(place), 3) }, () => value(random, type.ofType, place, things));
  }
  if (isEnumType(type)) return random.pick(type.getValues()).name;
  if (!isInputObjectType(type)) return scalar(random, type, place, things);
  const fields = Object.values(type.getFields()).filter((field) => isRequired(field) || random.chance(0.4));
  return Object.fromEntries(random.shuffle(fields).map((field) => [field.name, value(random, field.type, field.name, things)]));
}

/** The fewest items of a list: an empty list of environments is refused when the request is executed. */
const least = (place) => (place === "environments" ? 1 : 0);

/** Whether an argument or an input field is required. */
export const isRequired = (place) => isNonNullType(place.type) && place.defaultValue === undefined;

/**
 * A literal that this type accepts. `variable`, if given, may return a variable to use at a place of this type and
 * default.
 */
export function literal(random, type, place, { things, variable, mayBeNull = true, hasDefault = false } = {}) {
  const made = variable?.(type, place, hasDefault);
  if (made) return made;
  if (isNonNullType(type)) return literal(random, type.ofType, place, { things, mayBeNull: false });
  if (mayBeNull && random.chance(0.1)) return n.nothing();
  if (isListType(type)) {
    if (random.chance(0.15)) return literal(random, type.ofType, place, { things, mayBeNull: false });
    const length = random.whole(least(place), 3);
    return n.list(Array.from({ length }, () => literal(random, type.ofType, place, { things, variable })));
  }
  if (isEnumType(type)) return n.enumValue(random.pick(type.getValues()).name);
  if (!isInputObjectType(type)) {
    if (type.name === "JSON") return jsonLiteral(random, variable);
    const leaf = scalar(random, type, place, things);
    return typeof leaf === "string" ? n.string(leaf, random.chance(0.2)) : n.literal(leaf);
  }
  const fields = Object.values(type.getFields()).filter((field) => isRequired(field) || random.chance(0.4));
  const given = (field) => literal(random, field.type, field.name, { things, variable, hasDefault: field.defaultValue !== undefined });
  return n.object(random.shuffle(fields).map((field) => n.objectField(field.name, given(field))));
}

/** JSON as a literal that may contain variables. */
function jsonLiteral(random, variable) {
  const made = n.literal(json(random, 3));
  const put = (node) => {
    if (node.values) node.values = node.values.map((item) => variable?.(null) ?? put(item));
    for (const entry of node.fields ?? []) entry.value = variable?.(null) ?? put(entry.value);
    return node;
  };
  return put(made);
}

/** A type that a variable may have at a place of this type, sometimes stricter than needed. */
export function stricter(random, type) {
  if (isNonNullType(type)) return new GraphQLNonNull(getNullableType(stricter(random, type.ofType)));
  const inner = isListType(type) ? new GraphQLList(stricter(random, type.ofType)) : type;
  return random.chance(0.3) ? new GraphQLNonNull(inner) : inner;
}
