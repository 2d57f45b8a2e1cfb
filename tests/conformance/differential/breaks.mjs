// Ways to break one rule of a valid request. Each changes the request that it is given, and answers false when there is
// nothing in it that it could break; what it broke is for the judge to say.

import { GraphQLList, GraphQLNonNull, Kind, getNamedType, getNullableType, isAbstractType, isInputObjectType, isInputType, isLeafType, isListType, isNonNullType, isObjectType, typeFromAST } from "graphql";
import * as n from "./nodes.mjs";
import { isConstant, places } from "./places.mjs";
import { FINER, SECTIONS, STAGES } from "./judge.mjs";
import { isRequired, literal, value } from "./values.mjs";
import { wrongLiteral, wrongValue } from "./wrong.mjs";

/** A request that is about to be broken. */
export class Broken {
  constructor(schema, random, { document, operationName, variables }) {
    Object.assign(this, { schema, random, document, operationName, variables: { ...variables }, made: 0 });
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    this.operations = operations;
    this.operation = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
    this.places = places(schema, document);
  }

  fresh(prefix) {
    this.made += 1;
    return `${prefix}Made${this.made}`;
  }

  /** Some place of this sort for which `test` holds. */
  some(sort, test = () => true) {
    const fit = this.places[sort].filter(test);
    return fit.length > 0 ? this.random.pick(fit) : undefined;
  }

  /** Puts a selection among these: as it is, or within fragments. */
  put(selections, node, type) {
    const { random } = this;
    const way = random.whole(0, 3);
    if (way === 1) return selections.push(n.inline(undefined, [node]));
    if (way === 2) return selections.push(n.inline(type.name, [n.inline(undefined, [node])]));
    if (way === 3) {
      const name = this.fresh("F");
      this.document.definitions.push(n.fragment(name, type.name, [node]));
      return selections.push(n.spread(name));
    }
    return selections.splice(random.whole(0, selections.length), 0, node);
  }

  /** Puts a field at the root of a query. */
  putRoot(node) {
    const type = this.schema.getRootType(this.operation.operation);
    return this.put(this.operation.selectionSet.selections, node, type);
  }

  /** Puts a variable of this type and value in the place of a literal. */
  replace(at, type, given, defaultValue) {
    const name = this.fresh("v");
    at.holder[at.key] = n.variable(name);
    this.operation.variableDefinitions = [...(this.operation.variableDefinitions ?? []), n.definition(name, type, defaultValue)];
    if (given !== undefined) this.variables[name] = given;
    return name;
  }

  /** A literal of the operation itself, in whose place a variable can stand. */
  someLiteral(test = () => true) {
    return this.some("values", (at) => !at.isDefault && at.definition === this.operation && isConstant(at.node) && test(at));
  }
}

const leafOf = (type, random, test = () => true) => {
  const fit = Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)) && field.args.length === 0 && test(field));
  return fit.length > 0 ? random.pick(fit) : undefined;
};

/** Whether the values of these two types have different shapes at their own level. */
function differ(one, two) {
  for (;;) {
    if (isNonNullType(one) !== isNonNullType(two)) return true;
    [one, two] = [getNullableType(one), getNullableType(two)];
    if (isListType(one) !== isListType(two)) return true;
    if (!isListType(one)) return (isLeafType(one) || isLeafType(two)) && one !== two;
    [one, two] = [one.ofType, two.ofType];
  }
}

const DOCUMENT = [
  ["5.1.1", "a type is defined", (r) => r.document.definitions.push({ kind: Kind.SCALAR_TYPE_DEFINITION, name: n.name("Made"), directives: [] })],
  ["5.2.2.1", "two operations of one name", (r) => {
    if (!r.operation.name) return false;
    return r.document.definitions.push(n.clone(r.operation));
  }],
  ["5.2.2.1", "a query and a mutation of one name", (r) => {
    if (!r.operation.name || r.operation.operation === "query") return false;
    const selections = [n.field("viewer", { selections: [n.field("kind")] })];
    return r.document.definitions.push({ ...n.clone(r.operation), operation: "query", variableDefinitions: [], selectionSet: n.set(selections) });
  }],
  ["5.2.3.1", "an operation without a name beside another", (r) => {
    const selections = [n.field("viewer", { selections: [n.field("kind")] })];
    return r.document.definitions.push({ ...n.clone(r.operation), name: undefined, operation: "query", variableDefinitions: [], selectionSet: n.set(selections) });
  }],
  ["5.2.4.1", "a second root field", (r) => r.operation.operation === "subscription" && r.putRoot(n.field("changes", { alias: r.fresh("k"), selections: [n.field("position")] }))],
  ["5.2.4.1", "introspection at the root", (r) => r.operation.operation === "subscription" && r.putRoot(n.field("__typename", { alias: r.random.chance(0.5) ? "t" : undefined }))],
  ["5.2.4.1", "nothing but introspection at the root", (r) => {
    if (r.operation.operation !== "subscription") return false;
    r.operation.selectionSet.selections = [n.field("__typename")];
    return true;
  }],
  ["5.2.4.1", "a condition at the root", (r) => {
    if (r.operation.operation !== "subscription") return false;
    const [skip, is] = r.random.pick([["skip", false], ["skip", true], ["include", true], ["include", false]]);
    const at = r.random.pick(r.operation.selectionSet.selections);
    at.directives = [n.directive(skip, [n.argument("if", n.boolean(is))])];
    return true;
  }],
  ["5.2.4.1", "another operation's subscription has two roots", (r) => {
    if (!r.operation.name || !r.operationName) return false;
    const root = (of) => n.field(of, { selections: [n.field("revision")] });
    return r.document.definitions.push({ kind: Kind.OPERATION_DEFINITION, operation: "subscription", name: n.name(r.fresh("Op")), variableDefinitions: [], directives: [], selectionSet: n.set([root("activations"), root("changes")]) });
  }],

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
    arg.value = literal(r.random, type, arg.name.value);
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

  ["5.5.1.1", "two fragments of one name", (r) => {
    const fragments = r.document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
    return fragments.length > 0 && r.document.definitions.push(n.clone(r.random.pick(fragments)));
  }],
  ["5.5.1.2", "a fragment on an unknown type", (r) => {
    const at = r.some("sets", ({ isRoot }) => !isRoot);
    if (!at) return false;
    if (r.random.chance(0.5)) return at.node.selections.push(n.inline("Nowhere", [n.field("id")]));
    r.document.definitions.push(n.fragment("FNowhere", "Nowhere", [n.field("id")]));
    return at.node.selections.push(n.spread("FNowhere"));
  }],
  ["5.5.1.2", "a variable of an unknown type", (r) => {
    const at = r.someLiteral();
    if (!at) return false;
    const name = r.replace(at, at.type);
    r.operation.variableDefinitions.find(({ variable }) => variable.name.value === name).type = n.named("Nowhere");
    return true;
  }],
  ["5.5.1.3", "a fragment on a type without fields", (r) => {
    const at = r.some("sets", ({ isRoot }) => !isRoot);
    const type = r.random.pick(["String", "Role", "DateTime", "CreateAgentInput", "ID"]);
    if (!at) return false;
    if (r.random.chance(0.5)) return at.node.selections.push(n.inline(type, [n.field("id")]));
    r.document.definitions.push(n.fragment("FLeaf", type, [n.field("id")]));
    return at.node.selections.push(n.spread("FLeaf"));
  }],
  ["5.5.1.4", "a fragment that is not used", (r) => r.document.definitions.push(n.fragment("FUnused", r.random.pick(["Agent", "Query", "Node"]), [n.field("__typename")]))],
  ["5.5.1.4", "a fragment that only an unused one uses", (r) => r.document.definitions.push(n.fragment("FUnused", "Agent", [n.spread("FBelow")]), n.fragment("FBelow", "Agent", [n.field("id")]))],
  ["5.5.2.1", "a fragment that is not there", (r) => {
    const at = r.some("sets");
    return at && at.node.selections.push(n.spread("FNowhere"));
  }],
  ["5.5.2.2", "a fragment that spreads itself", (r) => {
    const at = r.some("sets", ({ isRoot, type }) => !isRoot && type);
    if (!at) return false;
    const [one, two] = [r.fresh("F"), r.fresh("F")];
    const isLong = r.random.chance(0.6);
    r.document.definitions.push(n.fragment(one, at.type.name, [n.field("__typename"), n.spread(isLong ? two : one)]));
    if (isLong) r.document.definitions.push(n.fragment(two, at.type.name, [n.inline(undefined, [n.spread(one)])]));
    return at.node.selections.push(n.spread(one));
  }],
  ["5.5.2.2", "a fragment that spreads itself below a field", (r) => {
    const at = r.some("sets", ({ type }) => type?.name === "Agent");
    if (!at) return false;
    r.document.definitions.push(n.fragment("FDeep", "Agent", [n.field("customer", { alias: "deep", selections: [n.field("agents", { selections: [n.field("nodes", { selections: [n.spread("FDeep")] })] })] })]));
    return at.node.selections.push(n.spread("FDeep"));
  }],
  ["5.5.2.3", "a fragment on a type that this can't be", (r) => {
    const at = r.some("sets", ({ type, isRoot }) => type && !isRoot);
    if (!at) return false;
    const apart = ["Agent", "PageInfo", "Quota", "Viewer", "Node", "User", "Tool", "Query"].map((of) => r.schema.getType(of)).filter((of) => {
      const possible = (type) => (isAbstractType(type) ? r.schema.getPossibleTypes(type) : [type]);
      return !possible(of).some((type) => possible(at.type).includes(type));
    });
    const type = r.random.pick(apart);
    if (r.random.chance(0.5)) return at.node.selections.push(n.inline(type.name, [n.field("__typename")]));
    r.document.definitions.push(n.fragment("FApart", type.name, [n.field("__typename")]));
    return at.node.selections.push(n.spread("FApart"));
  }],

  ["5.6.1", "a wrong literal", (r) => {
    const at = r.some("values", (of) => !of.isDefault && !of.isDirective && isConstant(of.node));
    const wrong = at && wrongLiteral(r.random, at.type);
    if (!wrong) return false;
    at.holder[at.key] = wrong;
    return true;
  }],
  ["5.6.1", "a wrong literal within a list or an object", (r) => {
    const at = r.some("values", (of) => of.isWithin && !of.isDefault && isConstant(of.node));
    const wrong = at && wrongLiteral(r.random, at.type);
    if (!wrong) return false;
    at.holder[at.key] = wrong;
    return true;
  }],
  ["5.6.1", "a string for an enum", (r) => {
    const at = r.some("values", ({ node }) => node.kind === Kind.ENUM);
    if (!at) return false;
    at.holder[at.key] = n.string(at.node.value);
    return true;
  }],
  ["5.6.1", "a number out of 32 bits", (r) => {
    const at = r.some("values", ({ type, node }) => getNamedType(type).name === "Int" && node.kind === Kind.INT);
    if (!at) return false;
    at.holder[at.key] = n.int(r.random.pick(["2147483648", "-2147483649", "99999999999999999999"]));
    return true;
  }],
  ["5.6.1", "null where there must be a value", (r) => {
    const at = r.some("values", ({ type, node }) => isNonNullType(type) && isConstant(node));
    if (!at) return false;
    at.holder[at.key] = n.nothing();
    return true;
  }],
  ["5.6.1", "a wrong default", (r) => {
    const at = r.someLiteral(({ type, hasDefault }) => getNamedType(type).name !== "JSON" && !hasDefault);
    const wrong = at && wrongLiteral(r.random, getNullableType(at.type));
    if (!wrong || wrong.kind === Kind.NULL) return false;
    return r.replace(at, getNullableType(at.type), undefined, wrong);
  }],
  ["5.6.1", "a condition that is no Boolean", (r) => {
    const at = r.some("values", ({ isDirective, node }) => isDirective && isConstant(node));
    if (!at) return false;
    at.holder[at.key] = r.random.pick([n.string("true"), n.int(1), n.nothing(), n.enumValue("TRUE")]);
    return true;
  }],
  ["5.6.2", "an unknown input field", (r) => {
    const at = r.some("values", ({ node, type }) => node.kind === Kind.OBJECT && isInputObjectType(getNamedType(type)));
    return at && at.node.fields.push(n.objectField("nowhere", n.nothing()));
  }],
  ["5.6.3", "an input field twice", (r) => {
    const at = r.some("values", ({ node }) => node.kind === Kind.OBJECT && node.fields.length > 0);
    return at && at.node.fields.push(n.clone(r.random.pick(at.node.fields)));
  }],
  ["5.6.3", "a key of JSON twice", (r) => {
    const at = r.some("values", ({ node, type }) => node.kind === Kind.OBJECT && getNamedType(type).name === "JSON");
    return at && at.node.fields.push(n.objectField("twice", n.int(1)), n.objectField("twice", n.int(2)));
  }, { root: "publishVersion" }],
  ["5.6.4", "a required input field is missing", (r) => {
    const required = (type) => Object.values(getNamedType(type).getFields()).filter(isRequired);
    const at = r.some("values", ({ node, type }) => node.kind === Kind.OBJECT && isInputObjectType(getNamedType(type)) && required(type).length > 0);
    if (!at) return false;
    const { name } = r.random.pick(required(at.type));
    at.node.fields = at.node.fields.filter((entry) => entry.name.value !== name);
    return true;
  }],

  ["5.7.1", "an unknown directive", (r) => {
    const made = n.directive(r.random.pick(["nowhere", "defer", "stream", "cached"]));
    const at = r.random.pick([r.operation, ...r.document.definitions, ...(r.operation.variableDefinitions ?? []), ...r.places.fields.map(({ node }) => node)]);
    at.directives = [...(at.directives ?? []), made];
    return true;
  }],
  ["5.7.2", "a directive where it may not stand", (r) => {
    const condition = () => n.directive(r.random.pick(["skip", "include"]), [n.argument("if", n.boolean(true))]);
    const elsewhere = [...r.document.definitions, ...r.operations.flatMap(({ variableDefinitions }) => variableDefinitions ?? [])];
    const field = r.some("fields");
    if (field && r.random.chance(0.3)) return field.node.directives.push(n.directive("deprecated"));
    const at = r.random.pick(elsewhere);
    at.directives = [condition()];
    return true;
  }],
  ["5.7.2", "a directive on a variable's definition", (r) => {
    const at = r.random.pick([...(r.operation.variableDefinitions ?? []), undefined]);
    if (!at) return false;
    at.directives = [n.directive("include", [n.argument("if", n.boolean(true))])];
    return true;
  }],
  ["5.7.3", "a directive twice", (r) => {
    const at = r.some("directives");
    return at && at.siblings.push(n.clone(at.node));
  }],

  ["5.8.1", "a variable twice", (r) => {
    const of = r.operation.variableDefinitions ?? [];
    return of.length > 0 && of.push(n.clone(r.random.pick(of)));
  }],
  ["5.8.2", "a variable of an output type, within JSON", (r) => {
    const at = r.someLiteral(({ type, isWithin }) => isWithin && type.name === "JSON");
    if (!at) return false;
    const name = r.replace(at, at.type);
    r.operation.variableDefinitions.find(({ variable }) => variable.name.value === name).type = n.named(r.random.pick(["Agent", "Node", "UserError"]));
    return true;
  }, { root: "publishVersion" }],
  ["5.8.2", "a variable of an output type", (r) => {
    const at = r.someLiteral();
    if (!at) return false;
    const name = r.replace(at, at.type);
    const type = r.random.pick(["Agent", "Node", "UserError"].map((of) => r.schema.getType(of)));
    r.operation.variableDefinitions.find(({ variable }) => variable.name.value === name).type = n.typeNode(r.random.chance(0.5) ? type : new GraphQLList(type));
    return true;
  }, { also: ["5.8.5"] }],
  ["5.8.3", "a variable that is not defined", (r) => {
    const at = r.some("values", ({ node, isDefault }) => !isDefault && isConstant(node));
    if (!at) return false;
    at.holder[at.key] = n.variable("nowhere");
    return true;
  }],
  ["5.8.3", "a variable that is not defined, within JSON", (r) => {
    const at = r.some("values", ({ node, isDefault, type }) => !isDefault && getNamedType(type).name === "JSON" && isConstant(node));
    if (!at) return false;
    at.holder[at.key] = n.object([n.objectField("deep", n.list([n.variable("nowhere")]))]);
    return true;
  }, { root: "publishVersion" }],
  ["5.8.3", "a variable that only one of two operations defines", (r) => {
    if (!r.operation.name || r.operation.operation === "subscription") return false;
    const name = r.fresh("F");
    const field = n.field("__typename", { alias: r.fresh("k") });
    field.directives = [n.directive("include", [n.argument("if", n.variable("here"))])];
    const root = r.schema.getRootType(r.operation.operation).name;
    r.document.definitions.push(n.fragment(name, root, [field]));
    r.operation.selectionSet.selections.push(n.spread(name));
    r.operation.variableDefinitions.push(n.definition("here", new GraphQLNonNull(r.schema.getType("Boolean"))));
    r.variables.here = true;
    r.operationName = r.operation.name.value;
    return r.document.definitions.push({ ...n.clone(r.operation), name: n.name(r.fresh("Op")), variableDefinitions: [], selectionSet: n.set([n.spread(name)]) });
  }],
  ["5.8.4", "a variable that is not used", (r) => {
    const type = r.random.pick(["Int", "AgentFilter", "JSON"].map((of) => r.schema.getType(of)));
    if (type.name === "Int") r.variables.unused = 1;
    return (r.operation.variableDefinitions ??= []).push(n.definition("unused", type));
  }],
  ["5.8.5", "a nullable variable where there must be a value", (r) => {
    const at = r.someLiteral(({ type, hasDefault }) => isNonNullType(type) && !hasDefault);
    if (!at) return false;
    const type = getNullableType(at.type);
    const defaultValue = r.random.chance(0.3) ? n.nothing() : undefined;
    return r.replace(at, type, r.random.chance(0.6) ? value(r.random, type, at.place, undefined, false) : undefined, defaultValue);
  }],
  ["5.8.5", "a variable of another depth of lists", (r) => {
    const at = r.someLiteral(({ type }) => getNamedType(type).name !== "JSON");
    if (!at) return false;
    const bare = getNullableType(at.type);
    const type = isListType(bare) && r.random.chance(0.7) ? new GraphQLNonNull(getNullableType(bare.ofType)) : new GraphQLNonNull(new GraphQLList(bare));
    return r.replace(at, type, value(r.random, type, at.place));
  }],
  ["5.8.5", "a list's item may be null", (r) => {
    const at = r.someLiteral(({ type }) => isListType(getNullableType(type)) && isNonNullType(getNullableType(type).ofType));
    if (!at) return false;
    const type = new GraphQLNonNull(new GraphQLList(getNamedType(at.type)));
    return r.replace(at, type, value(r.random, at.type, at.place));
  }],
  ["5.8.5", "a variable of another type", (r) => {
    const at = r.someLiteral();
    if (!at) return false;
    const others = Object.values(r.schema.getTypeMap()).filter((of) => isInputType(of) && !of.name.startsWith("__") && of.name !== "Float" && of !== getNamedType(at.type));
    const near = others.filter(({ name }) => ["Int", "String", "ID", "Cursor", "Revision", "Boolean", "DateTime"].includes(name));
    const named = r.random.pick(r.random.chance(0.7) ? near : others);
    const type = isNonNullType(at.type) ? new GraphQLNonNull(named) : named;
    return r.replace(at, type, value(r.random, type, at.place));
  }],
  ["5.8.5", "a variable of another type within an input", (r) => {
    const at = r.someLiteral(({ isWithin, type }) => isWithin && getNamedType(type).name !== "JSON");
    if (!at) return false;
    const named = r.schema.getType(getNamedType(at.type).name === "String" ? r.random.pick(["ID", "Cursor"]) : "String");
    const type = new GraphQLNonNull(named);
    return r.replace(at, type, value(r.random, type, at.place));
  }],
  ["5.8.5", "a condition's variable may be null", (r) => {
    const at = r.someLiteral(({ isDirective }) => isDirective);
    if (!at) return false;
    return r.replace(at, r.schema.getType("Boolean"), r.random.pick([true, false, undefined]));
  }],
];

const OPERATION = [
  ["a name that no operation has", (r) => (r.operationName = "Nowhere")],
  ["a name that differs by case", (r) => r.operation.name && (r.operationName = r.operation.name.value.toUpperCase() + "x".slice(0, r.operation.name.value === r.operation.name.value.toUpperCase() ? 1 : 0))],
  ["several operations and no name", (r) => {
    r.operationName = undefined;
    return r.operations.length > 1;
  }],
  ["a fragment's name", (r) => {
    const fragment = r.document.definitions.find(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
    return fragment && (r.operationName = fragment.name.value);
  }],
];

const variableOf = (r, test = () => true) => {
  const at = r.someLiteral(({ type, isDirective }) => test(type) && (r.random.chance(0.3) || !isDirective));
  if (at) return [r.replace(at, at.type), at.type, at.place];
  const fit = (r.operation.variableDefinitions ?? []).filter((node) => test(typeFromAST(r.schema, node.type)));
  if (fit.length === 0) return [];
  const node = r.random.pick(fit);
  return [node.variable.name.value, typeFromAST(r.schema, node.type), ""];
};

const VARIABLES = [
  ["a wrong value", (r) => {
    const [name, type, place] = variableOf(r);
    const wrong = name && wrongValue(r.random, type, place);
    if (wrong === undefined) return false;
    r.variables[name] = wrong;
    return true;
  }],
  ["a wrong value of an input object", (r) => {
    const [name, type, place] = variableOf(r, (of) => isInputObjectType(getNamedType(of)));
    if (!name) return false;
    r.variables[name] = wrongValue(r.random, type, place);
    return true;
  }],
  ["a wrong value of an enum", (r) => {
    const [name, type, place] = variableOf(r, (of) => "getValues" in getNamedType(of));
    if (!name) return false;
    r.variables[name] = wrongValue(r.random, type, place);
    return true;
  }],
  ["a wrong value of a scalar of our own", (r) => {
    const [name, type, place] = variableOf(r, (of) => ["DateTime", "Revision", "Cursor"].includes(getNamedType(of).name));
    if (!name) return false;
    r.variables[name] = wrongValue(r.random, type, place);
    return true;
  }],
  ["a required value is missing", (r) => {
    const [name] = variableOf(r, isNonNullType);
    if (!name) return false;
    delete r.variables[name];
    return true;
  }],
  ["null for a variable that must have a value", (r) => {
    const [name] = variableOf(r, isNonNullType);
    if (!name) return false;
    r.variables[name] = null;
    return true;
  }],
];

const ARGUMENTS = [
  ["null for a variable with a default", (r) => {
    const at = r.someLiteral(({ type, isItem }) => isNonNullType(type) && !isItem);
    if (!at) return false;
    const type = getNullableType(at.type);
    return r.replace(at, type, null, literal(r.random, type, at.place, { mayBeNull: false }));
  }],
  ["null at a place with a default", (r) => {
    const at = r.someLiteral(({ type, hasDefault }) => isNonNullType(type) && hasDefault);
    return at && r.replace(at, getNullableType(at.type), null);
  }, { root: "publishVersion" }],
];

/** Ways to write what is no document; each changes the text of one. */
const TEXT = [
  ["a bracket is missing", (text) => text.replace(/\}\s*$/, "")],
  ["a bracket too many", (text) => `${text} }`],
  ["nothing within brackets", (text) => text.replace(/\{/, "{ viewer {}")],
  ["no argument within brackets", (text) => text.replace(/\{/, "{ k: viewer() { kind }")],
  ["a number with a zero before it", (text) => text.replace(/\{/, "{ k: agents(first: 01) { totalCount }")],
  ["a number without a digit after its point", (text) => text.replace(/\{/, "{ k: agents(first: 1.) { totalCount }")],
  ["a number right before a name", (text) => text.replace(/\{/, "{ k: agents(first: 1a) { totalCount }")],
  ["a sign of plus", (text) => text.replace(/\{/, "{ k: agents(first: +1) { totalCount }")],
  ["a string that does not end", (text) => text.replace(/\{/, '{ k: agent(id: "x) { id }')],
  ["a line's end within a string", (text) => text.replace(/\{/, '{ k: agent(id: "x\ny") { id }')],
  ["an unknown escape", (text) => text.replace(/\{/, '{ k: agent(id: "\\x") { id }')],
  ["half of a surrogate pair", (text) => text.replace(/\{/, '{ k: agent(id: "\\uD83D") { id }')],
  ["two dots", (text) => text.replace(/\{/, "{ ..F ")],
  ["a fragment called `on`", (text) => `${text} fragment on on Query { viewer { kind } }`],
  ["a fragment without a type", (text) => `${text} fragment FMade { viewer { kind } }`],
  ["an operation of an unknown kind", (text) => `${text} request Made { viewer { kind } }`],
  ["a variable in a default", (text) => `${text} query Made($a: Int = 1, $b: Int = $a) { agents(first: $b) { totalCount } }`],
  ["a variable in a variable's directive", (text) => `${text} query Made($a: Boolean, $b: Int @include(if: $a)) { agents(first: $b) { totalCount } }`],
  ["no variable within brackets", (text) => `${text} query Made() { viewer { kind } }`],
  ["a variable without a type", (text) => `${text} query Made($a) { agents(first: $a) { totalCount } }`],
  ["two marks of non-null", (text) => `${text} query Made($a: ID!!) { agent(id: $a) { id } }`],
  ["a list of two types", (text) => `${text} query Made($a: [ID ID]) { nodes(ids: $a) { id } }`],
  ["a directive without a name", (text) => text.replace(/\{/, "{ viewer @ { kind }")],
  ["an alias without a field", (text) => text.replace(/\{/, "{ k: ")],
  ["an argument without a value", (text) => text.replace(/\{/, "{ k: agent(id: ) { id }")],
  ["a colon is missing", (text) => text.replace(/\{/, '{ k: agent(id "x") { id }')],
  ["a mark that means nothing", (text) => text.replace(/\{/, "{ ? ")],
  ["a description of an operation without a keyword", (text) => `"what it is" { viewer { kind } } ${text}`],
  ["a description of nothing", (text) => `${text} "what it is"`],
];

const section = (number) => [...Object.values(SECTIONS), ...FINER.map(([, , finer]) => finer)].find((of) => of.startsWith(`${number} `));

/** All ways: each with its name, the section that it breaks, the stage that refuses it, and the kinds of operations that it wants. */
export const BREAKS = [
  ...DOCUMENT.map(([number, name, apply, { root, also = [] } = {}]) => ({
    name,
    rule: section(number),
    also: also.map(section),
    stage: "validate",
    apply,
    root,
    kinds: root ? ["mutation"] : number === "5.2.4.1" && !name.startsWith("another") ? ["subscription"] : undefined,
  })),
  ...OPERATION.map(([name, apply]) => ({ name, rule: STAGES.operation, stage: "operation", apply })),
  ...VARIABLES.map(([name, apply]) => ({ name, rule: STAGES.variables, stage: "variables", apply })),
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
