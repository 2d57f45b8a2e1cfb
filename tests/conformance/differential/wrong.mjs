// Values that a type doesn't accept, each with one fault.

import { Kind, isEnumType, isInputObjectType, isListType, isNonNullType } from "graphql";
import * as n from "./nodes.mjs";
import { isRequired, literal, value } from "./values.mjs";

/** Literals that a leaf type never accepts. */
function leaves(type) {
  const [yes, word] = [() => n.boolean(true), () => n.enumValue("ANYTHING")];
  const structured = [() => n.list([]), () => n.object([])];
  if (isEnumType(type)) {
    const first = type.getValues()[0].name;
    return [() => n.string(first), word, () => n.enumValue(first.toLowerCase()), () => n.int(0), yes, ...structured];
  }
  const own = {
    Int: [() => n.string("1"), () => n.float("1.5"), () => n.float("1e3"), () => n.int("2147483648"), () => n.int("-2147483649"), yes, word],
    Float: [() => n.string("0.5"), yes, word],
    String: [() => n.int(1), () => n.float("0.5"), yes, word],
    Boolean: [() => n.string("true"), () => n.int(1), () => n.int(0), word],
    ID: [() => n.float("1.5"), yes, word],
    DateTime: ["tomorrow", "", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T12:00:00", "2026-13-01T00:00:00Z"].map((text) => () => n.string(text)).concat(() => n.int(1700000000), yes, word),
    Revision: ["-1", "", "1.5", "0x10", "9223372036854775808"].map((text) => () => n.string(text)).concat(() => n.int(-1), () => n.int("9223372036854775808"), () => n.float("1.5"), yes, word),
    Cursor: [yes, word],
    JSON: [],
  }[type.name];
  if (!own) throw new Error(`wrong.mjs has no wrong literals of ${type.name}`);
  return type.name === "JSON" ? own : [...own, ...structured];
}

/** A literal that this type doesn't accept. Undefined if it accepts everything. */
export function wrongLiteral(random, type) {
  if (isNonNullType(type)) return random.chance(0.2) ? n.nothing() : wrongLiteral(random, type.ofType);
  if (isListType(type)) {
    const item = wrongLiteral(random, type.ofType);
    if (!item) return undefined;
    const isAlone = random.chance(0.3) && item.kind !== Kind.NULL && item.kind !== Kind.LIST;
    const others = Array.from({ length: random.whole(0, 2) }, () => literal(random, type.ofType, ""));
    return isAlone ? item : n.list(random.shuffle([...others, item]));
  }
  if (isInputObjectType(type)) {
    return random.pick([() => n.string("x"), () => n.int(1), () => n.enumValue("ANYTHING"), () => n.boolean(false), () => n.list([n.int(1)])])();
  }
  const all = leaves(type);
  return all.length > 0 ? random.pick(all)() : undefined;
}

/** Same as JSON. */
function wrongLeaf(random, type) {
  if (isEnumType(type)) return random.pick(["ANYTHING", type.getValues()[0].name.toLowerCase(), "", 0, true, {}, []]);
  const own = {
    Int: ["1", "", 1.5, 2147483648, -2147483649, true, {}, [], [1]],
    Float: ["0.5", "", true, {}, [], [0.5]],
    String: [1, 0.5, false, {}, [], ["a"]],
    Boolean: ["true", 0, 1, "", {}, [], [true]],
    ID: [1.5, true, {}, [], ["a"]],
    DateTime: ["tomorrow", "", "2026-11-22", "2026-02-30T00:00:00Z", "2026-11-22T12:00:00", 1700000000, true, {}, []],
    Revision: ["-1", "", "x", "1.5", "9223372036854775808", -1, 0.5, true, {}, []],
    Cursor: [true, {}, []],
    JSON: [],
  }[type.name];
  if (!own) throw new Error(`wrong.mjs has no wrong values of ${type.name}`);
  return own.length > 0 ? random.pick(own) : undefined;
}

/** A JSON value that this type doesn't accept. Undefined if it accepts everything. */
export function wrongValue(random, type, place = "") {
  if (isNonNullType(type)) return random.chance(0.25) ? null : wrongValue(random, type.ofType, place);
  if (isListType(type)) {
    const item = wrongValue(random, type.ofType, place);
    if (item === undefined) return undefined;
    if (random.chance(0.25) && item !== null && !Array.isArray(item)) return item;
    const others = Array.from({ length: random.whole(0, 2) }, () => value(random, type.ofType, place));
    return random.shuffle([...others, item]);
  }
  if (!isInputObjectType(type)) return wrongLeaf(random, type);
  const whole = value(random, type, place, undefined, false);
  const fields = Object.values(type.getFields());
  const ways = [
    () => random.pick(["x", 1, true, [], [1]]),
    () => ({ ...whole, nowhere: 1 }),
    () => ({ ...whole, [random.pick(fields).name.toUpperCase()]: null }),
  ];
  const required = fields.filter(isRequired);
  if (required.length > 0) {
    const { name } = random.pick(required);
    ways.push(() => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name)), () => ({ ...whole, [name]: null }));
  }
  const inner = random.pick(fields);
  const below = wrongValue(random, inner.type, inner.name);
  if (below !== undefined) ways.push(() => ({ ...whole, [inner.name]: below }), () => ({ ...whole, [inner.name]: below }));
  return random.pick(ways)();
}
