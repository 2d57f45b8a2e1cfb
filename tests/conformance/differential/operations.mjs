// Generates valid requests from the schema: first a tree of fields, which is then scattered over duplicates and
// fragments such that merging restores it.

import {
  GraphQLBoolean, GraphQLNonNull, Kind, getNamedType, isAbstractType, isInterfaceType, isLeafType, isNonNullType, print,
} from "graphql";
import * as n from "./nodes.mjs";
import { THINGS, isRequired, literal, stricter, value } from "./values.mjs";

/** Far below the service's limits (src/graphql/guard), so that no request reaches one. */
const LIMITS = { text: 12_000, directives: 25, aliases: 50, roots: 12, fields: 400 };
const DEPTH = 5;
const PAGES = 2;

/** Arguments that could make a page fail, or make it depend on the time of the request. */
const UNSTEADY = ["after", "before", "filter", "atLeast"];

/**
 * A valid request of one of these kinds, with this field at its root if given. With `isSteady`, two responses to it
 * must be equal.
 */
export function request(schema, random, options = {}) {
  for (;;) {
    const made = new Maker(schema, random, options).request();
    if (isSmall(made.document)) return made;
  }
}

/** The request in its form on the wire. */
export const wire = ({ document, operationName, variables }) => ({ document: print(document), operationName, variables });

function isSmall(document) {
  const fragments = new Map(document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((node) => [node.name.value, node]));
  let aliases = 0;
  let fields = 0;
  const count = (selectionSet, isRoot) =>
    (selectionSet?.selections ?? []).reduce((roots, node) => {
      fields += 1;
      if (node.kind !== Kind.FIELD) return roots + count((fragments.get(node.name?.value) ?? node).selectionSet, isRoot);
      if (node.alias) aliases += 1;
      count(node.selectionSet, false);
      return roots + (isRoot ? 1 : 0);
    }, 0);
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const roots = Math.max(...operations.map((operation) => count(operation.selectionSet, true)));
  const text = print(document);
  return text.length <= LIMITS.text && text.split("@").length <= LIMITS.directives && aliases <= LIMITS.aliases
    && roots <= LIMITS.roots && fields <= LIMITS.fields;
}

class Maker {
  constructor(schema, random, { kinds = ["query", "query", "mutation", "subscription"], isSteady = false, root } = {}) {
    Object.assign(this, { schema, random, kinds, isSteady, root });
    this.fragments = [];
    this.types = new Map();
    this.names = 0;
  }

  fresh(prefix) {
    this.names += 1;
    return `${prefix}${this.names}`;
  }

  request() {
    const { random } = this;
    const first = this.operation(random.pick(this.kinds));
    const { values } = this;
    const isNamed = random.chance(0.7);
    const operations = [first];
    if (isNamed) {
      first.name = n.name(this.fresh("Op"));
      if (random.chance(0.25)) {
        const other = this.operation("query");
        other.name = n.name(this.fresh("Op"));
        operations.push(other);
      }
    }
    const mustSay = operations.length > 1;
    const operationName = mustSay || (isNamed && random.chance(0.4)) ? first.name.value : undefined;
    const definitions = random.shuffle([...operations, ...this.fragments]);
    return { document: { kind: Kind.DOCUMENT, definitions }, operationName, variables: values };
  }

  operation(kind) {
    const { random, schema } = this;
    this.definitions = [];
    this.values = {};
    this.things = this.isSteady ? (field, place) => thing(random, field, place) : undefined;
    // A subscription rejects an invalid UUID when it starts, which is no verdict on the request. So use UUIDs only.
    if (kind === "subscription") this.things = () => random.pick(Object.values(THINGS));
    const type = schema.getRootType(kind);
    const roots = kind === "subscription" ? 1 : random.whole(1, kind === "mutation" ? 2 : 3);
    const all = Object.values(type.getFields());
    const root = this.root && type.getFields()[this.root];
    const fields = root ? [root] : random.some(all.filter((field) => this.isAsked(field)), roots);
    const keys = new Map();
    let selections = fields.map((field) => this.field(field, DEPTH, 0, keys));
    if (kind === "query" && !this.isSteady && random.chance(0.08)) selections.push(...introspection(random));
    if (kind !== "subscription" && random.chance(0.1)) selections.push(n.field("__typename"));
    selections = this.scatter(selections, type, { isRoot: true, mayLeaveOut: kind !== "subscription" });
    const isPlain = kind === "query" && this.definitions.length === 0;
    return {
      kind: Kind.OPERATION_DEFINITION,
      operation: kind,
      name: undefined,
      variableDefinitions: isPlain ? [] : random.shuffle(this.definitions),
      directives: [],
      selectionSet: n.set(selections),
    };
  }

  isAsked(field) {
    // These change between two responses, or need a filter; of two that fail at once, either is named first.
    const unsteady = ["watchers", "activeConfig", "auditStatus", "convergence", "activationCounts", "changeCounts"];
    return !(this.isSteady && unsteady.includes(field.name));
  }

  /** A field with arguments and selections; `keys` are the response keys taken by its siblings. */
  field(def, depth, pages, keys, prefix = "") {
    const { random } = this;
    const type = getNamedType(def.type);
    const alias = prefix || keys.has(def.name) || random.chance(0.12) ? this.fresh(`${prefix}a`) : undefined;
    keys.set(alias ?? def.name, String(def.type));
    const args = def.args.filter((arg) => isRequired(arg) || (random.chance(0.3) && !(this.isSteady && UNSTEADY.includes(arg.name))));
    // Two ways of paging at once are an error of the field.
    const steady = this.isSteady && args.some(({ name }) => name === "first") ? args.filter(({ name }) => name !== "last") : args;
    const selections = isLeafType(type) ? undefined : this.selection(type, depth - 1, pages + (isPage(type) ? 1 : 0));
    return n.field(def.name, { alias, args: random.shuffle(steady).map((arg) => this.argument(arg, def)), selections });
  }

  argument(arg, def) {
    const { things: of } = this;
    const things = of && ((place) => of(def.name, place));
    const made = literal(this.random, arg.type, arg.name, {
      things,
      mayBeNull: !this.isSteady,
      variable: (type, place, hasDefault) => this.variable(type, place, hasDefault, things),
      hasDefault: arg.defaultValue !== undefined,
    });
    return n.argument(arg.name, made);
  }

  /** Sometimes a variable for a place of this type. Where there is no type, as inside JSON, one of any type. */
  variable(location, place, hasDefault, things) {
    const { random, isSteady } = this;
    if (!random.chance(location ? 0.3 : 0.15)) return undefined;
    const type = location ?? random.pick(["Int", "String", "Boolean", "ID"].map((of) => this.schema.getType(of)).filter(Boolean));
    const used = this.definitions.find((node) => this.types.get(node) === String(type) && !isSteady && random.chance(0.3));
    if (used) return n.variable(used.variable.name.value);
    const name = this.fresh("v");
    const bare = isNonNullType(type) ? type.ofType : type;
    const withDefault = random.chance(0.25);
    const relaxes = isNonNullType(type) && (withDefault || hasDefault) && random.chance(0.7);
    const own = relaxes ? bare : stricter(random, type);
    const mayBeNull = !relaxes && !isSteady && !isNonNullType(own);
    const defaultValue = withDefault ? literal(random, own, place, { things, mayBeNull }) : undefined;
    const mayBeAbsent = !isNonNullType(own) || withDefault;
    if (!mayBeAbsent || random.chance(0.7)) this.values[name] = value(random, own, place, things, mayBeNull);
    return this.define(name, own, defaultValue);
  }

  /** The selections of this type, with distinct response keys. */
  selection(type, depth, pages) {
    const { random } = this;
    const keys = new Map();
    if (isAbstractType(type)) {
      const shared = isInterfaceType(type) && random.chance(0.6) ? [n.field("id")] : [n.field("__typename")];
      const types = random.some(this.schema.getPossibleTypes(type), random.whole(0, 3));
      return [...shared, ...types.map((concrete) => n.inline(concrete.name, this.fields(concrete, depth, pages, new Map(), concrete.name)))];
    }
    const made = this.fields(type, depth, pages, keys);
    if (random.chance(0.15)) made.push(n.field("__typename"));
    return made;
  }

  fields(type, depth, pages, keys, prefix = "") {
    const { random } = this;
    const isWithin = (field) => {
      const below = getNamedType(field.type);
      return isLeafType(below) || (depth > 0 && !(isPage(below) && pages >= PAGES));
    };
    const all = Object.values(type.getFields()).filter(isWithin);
    if (all.length === 0) return [n.field("__typename")];
    const chosen = random.some(all, random.whole(1, 4));
    if (random.chance(0.1)) chosen.push(random.pick(chosen));
    // In another object type of an interface, a field of this name may have another type.
    return chosen.map((field) => this.field(field, depth, pages, keys, prefix && field.name !== "id" ? `${prefix}_` : ""));
  }

  /** The same selections, some repeated, split, or inside fragments. Merging restores them. */
  scatter(selections, type, { isRoot = false, mayLeaveOut = true } = {}) {
    const { random, schema } = this;
    let out = selections.flatMap((node) => {
      if (node.kind === Kind.INLINE_FRAGMENT) {
        const inner = this.scatter(node.selectionSet.selections, schema.getType(node.typeCondition.name.value));
        return [{ ...node, selectionSet: n.set(inner) }];
      }
      if (node.kind !== Kind.FIELD || !node.selectionSet || node.name.value.startsWith("__")) {
        return random.chance(0.08) ? [node, n.clone(node)] : [node];
      }
      const below = getNamedType(type.getFields()[node.name.value].type);
      const children = node.selectionSet.selections;
      const again = (part) => ({ ...n.clone(node), selectionSet: n.set(this.scatter(part, below)) });
      if (children.length > 1 && random.chance(this.isSteady ? 0.35 : 0.2)) {
        const at = random.whole(1, children.length - 1);
        return [again(children.slice(0, at)), again(children.slice(at))];
      }
      const whole = again(children);
      return random.chance(this.isSteady ? 0.35 : 0.15) ? [whole, again(n.clone(random.some(children, random.whole(1, children.length))))] : [whole];
    });
    if (mayLeaveOut) for (const node of out) if (random.chance(0.07)) node.directives = this.conditions();
    if (random.chance(0.3)) out = this.wrap(out, type, isRoot);
    if (random.chance(0.3)) out = this.extract(out, type);
    return random.chance(0.4) ? random.shuffle(out) : out;
  }

  conditions() {
    const { random } = this;
    const names = random.some(["skip", "include"], random.chance(0.8) ? 1 : 2);
    return names.map((of) => n.directive(of, [n.argument("if", this.condition())]));
  }

  condition() {
    const { random } = this;
    if (random.chance(0.5)) return n.boolean(random.chance(0.5));
    const name = this.fresh("v");
    const withDefault = random.chance(0.3);
    const type = withDefault ? GraphQLBoolean : new GraphQLNonNull(GraphQLBoolean);
    if (!withDefault || random.chance(0.5)) this.values[name] = random.chance(0.5);
    const defaultValue = withDefault ? n.boolean(random.chance(0.5)) : undefined;
    return this.define(name, type, defaultValue);
  }

  define(name, type, defaultValue) {
    const made = n.definition(name, type, defaultValue);
    this.types.set(made, String(type));
    this.definitions.push(made);
    return n.variable(name);
  }

  /** Moves some of them into an inline fragment. */
  wrap(selections, type, isRoot) {
    const { random } = this;
    const part = random.some(selections, random.whole(1, selections.length));
    const others = selections.filter((node) => !part.includes(node));
    const interfaces = isAbstractType(type) ? [] : type.getInterfaces().filter((above) => part.every((node) => isOf(node, above)));
    const condition = random.pick([undefined, type.name, ...interfaces.map((above) => above.name)]);
    const made = n.inline(condition, part);
    if (!isRoot && random.chance(0.15)) made.directives = this.conditions();
    return [...others, made];
  }

  /** Moves some of them into a named fragment, spread once or twice; also at a subscription's root. */
  extract(selections, type) {
    const { random } = this;
    const part = random.some(selections, random.whole(1, selections.length));
    const others = selections.filter((node) => !part.includes(node));
    const name = this.fresh("F");
    this.fragments.push(n.fragment(name, type.name, part));
    const times = random.chance(0.2) ? 2 : 1;
    return [...others, ...Array.from({ length: times }, () => n.spread(name))];
  }
}

const isPage = (type) => type.name.endsWith("Connection");

/** Whether an interface has this selection too. */
const isOf = (node, above) =>
  node.kind === Kind.FIELD && (node.name.value === "__typename" || (isInterfaceType(above) && node.name.value in above.getFields()));

/** The kind of object whose id this argument of this field takes. */
function thing(random, field, place) {
  if (place === "agentId" || field === "agent" || field === "activeConfig") return THINGS.agent;
  if (place === "customerId" || field === "customer") return THINGS.customer;
  return random.pick(Object.values(THINGS));
}

function introspection(random) {
  const type = random.pick(["Agent", "Node", "CreateAgentInput", "Role", "Nowhere"]);
  return random.pick([
    [n.field("__schema", { selections: [n.field("queryType", { selections: [n.field("name")] })] })],
    [n.field("__type", { args: [n.argument("name", n.string(type))], selections: [n.field("kind"), n.field("fields", { selections: [n.field("name")] })] })],
  ]);
}
