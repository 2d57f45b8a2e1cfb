// Fields and arguments (sections 5.3 and 5.4).

import { Kind, getNamedType, getNullableType, isAbstractType, isLeafType, isListType, isNonNullType, isObjectType, print, visit } from "graphql";
import * as n from "../nodes.mjs";
import { isConstant } from "../places.mjs";
import { isRequired, literal, value } from "../values.mjs";
import { leafOf } from "./broken.mjs";

/** Whether the values of these two types have different shapes, ignoring nested fields. */
function differ(one, two) {
  for (;;) {
    if (isNonNullType(one) !== isNonNullType(two)) return true;
    [one, two] = [getNullableType(one), getNullableType(two)];
    if (isListType(one) !== isListType(two)) return true;
    if (!isListType(one)) return (isLeafType(one) || isLeafType(two)) && one !== two;
    [one, two] = [one.ofType, two.ofType];
  }
}

/** A literal's text, with every string in the quoted form. */
const plain = (node) => print(visit(node, { StringValue: (of) => ({ ...of, block: false }) }));

/** The non-empty lists in a literal. */
function listsIn(node) {
  const within = [...(node.values ?? []), ...(node.fields ?? []).map(({ value: of }) => of)].flatMap(listsIn);
  return node.kind === Kind.LIST && node.values.length > 0 ? [node, ...within] : within;
}

/** As in operations.mjs. */
export const FIELDS = [
  ["5.3.1", "an unknown field", (r) => {
    const at = r.some("sets", ({ type, isRoot, definition }) => type && !(isRoot && definition.operation === "subscription"));
    return at && r.put(at.node.selections, n.field("nowhere"), at.type);
  }],
  ["5.3.1", "a field of another type", (r) => {
    const at = r.some("sets", ({ type, isRoot }) => isObjectType(type) && !isRoot);
    const other = r.random.pick(Object.values(r.schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith("__")));
    const field = at && leafOf(other, r.random, ({ name }) => !(name in at.type.getFields()));
    return field && r.put(at.node.selections, n.field(field.name), at.type);
  }],
  ["5.3.1", "an object's field asked of its interface", (r) => {
    const at = r.some("sets", ({ type }) => isAbstractType(type));
    return at && r.put(at.node.selections, n.field("createdAt"), at.type);
  }],
  ["5.3.1", "introspection below the root", (r) => {
    const at = r.some("sets", ({ isRoot, type }) => !isRoot && isObjectType(type) && type.name !== "Query");
    return at && at.node.selections.push(n.field("__schema", { selections: [n.field("__typename")] }));
  }],

  ["5.3.2", "two fields under one key", (r) => {
    const at = r.some("fields", ({ type, def, parentType, node }) => def && isObjectType(parentType) && isLeafType(type) && !node.name.value.startsWith("__"));
    const other = at && leafOf(at.parentType, r.random, ({ name }) => name !== at.node.name.value);
    return other && r.put(at.siblings, n.field(other.name, { alias: n.key(at.node) }), at.parentType);
  }],
  ["5.3.2", "one field with and without an argument", (r) => {
    const at = r.some("fields", ({ def, node }) => def?.args.some((arg) => !isRequired(arg) && !node.arguments.some(({ name }) => name.value === arg.name)));
    if (!at || (at.definition.operation === "subscription" && r.random.chance(0.5))) return false;
    const free = at.def.args.filter((arg) => !isRequired(arg) && !at.node.arguments.some(({ name }) => name.value === arg.name));
    const arg = r.random.pick(free);
    const again = { ...n.clone(at.node), directives: [] };
    again.arguments = [...again.arguments, n.argument(arg.name, literal(r.random, arg.type, arg.name))];
    return r.put(at.siblings, again, at.parentType);
  }],
  ["5.3.2", "one field with two values of an argument", (r) => {
    const at = r.some("fields", ({ def, node }) => def && node.arguments.length > 0);
    if (!at) return false;
    const again = { ...n.clone(at.node), directives: [] };
    const arg = r.random.pick(again.arguments);
    const { type } = at.def.args.find(({ name }) => name === arg.name.value) ?? {};
    if (!type) return false;
    const before = plain(arg.value);
    arg.value = literal(r.random, type, arg.name.value);
    return plain(arg.value) !== before && r.put(at.siblings, again, at.parentType);
  }],
  ["5.3.2", "one field with a list and the list's beginning", (r) => {
    const at = r.some("fields", ({ def, node }) => def && node.arguments.some(({ value: of }) => listsIn(of).length > 0));
    if (!at) return false;
    const again = { ...n.clone(at.node), directives: [] };
    const list = r.random.pick(again.arguments.flatMap(({ value: of }) => listsIn(of)));
    list.values = list.values.slice(0, r.random.whole(0, list.values.length - 1));
    return r.put(at.siblings, again, at.parentType);
  }],
  ["5.3.2", "one field with an input's field and without", (r) => {
    const at = r.some("fields", ({ def, node }) => def && node.arguments.some(({ value: of }) => of.fields?.length > 0));
    if (!at) return false;
    const again = { ...n.clone(at.node), directives: [] };
    const input = r.random.pick(again.arguments.filter(({ value: of }) => of.fields?.length > 0)).value;
    input.fields = input.fields.filter((one) => one !== input.fields.at(-1));
    return r.put(at.siblings, again, at.parentType);
  }],
  ["5.3.2", "one field with a literal and a variable", (r) => {
    const at = r.some("fields", ({ def, node, definition }) => def && definition === r.operation && node.arguments.some(({ value: of }) => isConstant(of)));
    if (!at) return false;
    const again = { ...n.clone(at.node), directives: [] };
    const arg = r.random.pick(again.arguments.filter(({ value: of }) => isConstant(of)));
    const type = at.def.args.find(({ name }) => name === arg.name.value)?.type;
    if (!type) return false;
    r.replace({ holder: arg, key: "value" }, type, value(r.random, type, arg.name.value));
    return r.put(at.siblings, again, at.parentType);
  }],
  ["5.3.2", "two fields under one key, below merged fields", (r) => {
    const at = r.some("fields", ({ node, type, def }) => def && isObjectType(type) && node.selectionSet.selections.some((below) => below.kind === Kind.FIELD && !below.selectionSet && !below.name.value.startsWith("__")));
    if (!at) return false;
    const child = r.random.pick(at.node.selectionSet.selections.filter((below) => below.kind === Kind.FIELD && !below.selectionSet && !below.name.value.startsWith("__")));
    const other = leafOf(at.type, r.random, ({ name }) => name !== child.name.value);
    if (!other) return false;
    const inner = [];
    r.put(inner, n.field(other.name, { alias: n.key(child) }), at.type);
    return r.put(at.siblings, { ...n.clone(at.node), directives: [], selectionSet: n.set(inner) }, at.parentType);
  }],
  ["5.3.2", "other arguments, two levels below merged fields", (r) => {
    if (r.operation.operation !== "query") return false;
    const id = n.argument("id", n.string("x"));
    const page = (of, count) => n.field("versions", { args: [n.argument(of, n.int(count))], selections: [n.field("nodes", { selections: [n.field("number")] })] });
    const node = (...below) => n.field("agent", { alias: "merged", args: [n.clone(id)], selections: [n.field("customer", { selections: [n.field("agents", { selections: [n.field("nodes", { selections: below })] })] })] });
    r.putRoot(node(page("first", 1)));
    return r.putRoot(node(n.inline("Agent", [page(...r.random.pick([["first", 2], ["last", 1]]))])));
  }],
  ["5.3.2", "two shapes under one key, by type conditions", (r) => {
    if (r.operation.operation !== "query") return false;
    const [one, two] = r.random.some(r.schema.getPossibleTypes(r.schema.getType("Node")), 2);
    const ask = (type) => {
      const field = r.random.pick(Object.values(type.getFields()).filter(({ args }) => !args.some(isRequired)));
      const below = getNamedType(field.type);
      return [field.type, n.field(field.name, { alias: "shape", selections: isLeafType(below) ? undefined : [n.field("__typename")] })];
    };
    const [[first, left], [second, right]] = [ask(one), ask(two)];
    if (!differ(first, second)) return false;
    const selections = [n.inline(one.name, [left])];
    r.put(selections, n.inline(two.name, [right]), r.schema.getType("Node"));
    return r.putRoot(n.field("node", { alias: "shapes", args: [n.argument("id", n.string("x"))], selections }));
  }],
  ["5.3.2", "two shapes under one key, below fields of two types", (r) => {
    if (r.operation.operation !== "query") return false;
    const inner = (type, of) => n.inline(type, [n.field(of[0], { alias: "below", selections: [n.field(of[1], { alias: "shape" })] })]);
    const pairs = [
      [["Agent", ["owner", "name"]], ["AgentVersion", ["agent", "name"]]],
      [["Agent", ["activeVersion", "number"]], ["AgentVersion", ["agent", "name"]]],
      [["Activation", ["version", "id"]], ["Customer", ["usage", "requestsPerSecond"]]],
      [["Agent", ["customer", "createdAt"]], ["Activation", ["agent", "archivedAt"]]],
    ];
    const selections = r.random.shuffle(r.random.pick(pairs)).map(([type, of]) => inner(type, of));
    return r.putRoot(n.field("node", { alias: "shapes", args: [n.argument("id", n.string("x"))], selections }));
  }],
  ["5.3.2", "two mutations under one key", (r) => {
    if (r.operation.operation !== "mutation") return false;
    const make = (text) => n.field("createCustomer", { alias: "twice", args: [n.argument("input", n.object([n.objectField("name", n.string(text))]))], selections: [n.field("revision")] });
    r.putRoot(make("one"));
    return r.putRoot(make("two"));
  }],
  ["5.3.3", "a leaf with selections", (r) => {
    const at = r.some("fields", ({ type, def, node }) => def && isLeafType(type) && !node.name.value.startsWith("__"));
    if (!at) return false;
    at.node.selectionSet = n.set([n.field("id")]);
    return true;
  }],
  ["5.3.3", "an object without selections", (r) => {
    const at = r.some("sets", ({ type, isRoot, definition }) => isObjectType(type) && !(isRoot && definition.operation === "subscription") && Object.values(type.getFields()).some((field) => !isLeafType(getNamedType(field.type)) && !field.args.some(isRequired)));
    if (!at) return false;
    const field = r.random.pick(Object.values(at.type.getFields()).filter((of) => !isLeafType(getNamedType(of.type)) && !of.args.some(isRequired)));
    return r.put(at.node.selections, n.field(field.name, { alias: r.fresh("k") }), at.type);
  }],

  ["5.4.1", "an unknown argument", (r) => {
    const at = r.some("fields", ({ def }) => def);
    return at && at.node.arguments.push(n.argument("nowhere", literal(r.random, r.schema.getType("JSON"), "", {})));
  }],
  ["5.4.1", "an argument of `__typename`", (r) => {
    const at = r.some("sets", ({ isRoot, definition }) => !(isRoot && definition.operation === "subscription"));
    return at && r.put(at.node.selections, n.field("__typename", { alias: r.fresh("k"), args: [n.argument("x", n.int(1))] }), at.type);
  }],
  ["5.4.1", "an unknown argument of a directive", (r) => {
    const at = r.some("directives");
    return at && at.node.arguments.push(n.argument("unless", n.boolean(true)));
  }],
  ["5.4.2", "an argument twice", (r) => {
    const at = r.some("values", ({ isWithin, siblings }) => !isWithin && siblings);
    return at && at.siblings.push(n.clone(at.holder));
  }],
  ["5.4.3", "a required argument is missing", (r) => {
    const at = r.some("fields", ({ def, node }) => def?.args.some(isRequired) && node.arguments.length > 0);
    if (!at) return false;
    const required = r.random.pick(at.def.args.filter(isRequired)).name;
    at.node.arguments = at.node.arguments.filter(({ name }) => name.value !== required);
    return true;
  }],
  ["5.4.3", "a directive without its argument", (r) => {
    const at = r.some("sets", ({ isRoot }) => !isRoot);
    if (!at) return false;
    const node = n.field("__typename", { alias: r.fresh("k") });
    node.directives = [n.directive(r.random.pick(["skip", "include"]))];
    return r.put(at.node.selections, node, at.type);
  }],
];
