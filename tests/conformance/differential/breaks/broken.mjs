// A request to break, and the helpers that the ways to break it share.

import { Kind, getNamedType, isLeafType } from "graphql";
import * as n from "../nodes.mjs";
import { isConstant, places } from "../places.mjs";

/** A request with its places. */
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

  /** A random place of this sort that satisfies `test`. */
  some(sort, test = () => true) {
    const fit = this.places[sort].filter(test);
    return fit.length > 0 ? this.random.pick(fit) : undefined;
  }

  /** Inserts a selection: directly, or inside fragments. */
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

  /** Inserts a field at the operation's root. */
  putRoot(node) {
    const type = this.schema.getRootType(this.operation.operation);
    return this.put(this.operation.selectionSet.selections, node, type);
  }

  /** Replaces a literal with a variable of this type and value. */
  replace(at, type, given, defaultValue) {
    const name = this.fresh("v");
    at.holder[at.key] = n.variable(name);
    this.operation.variableDefinitions = [...(this.operation.variableDefinitions ?? []), n.definition(name, type, defaultValue)];
    if (given !== undefined) this.variables[name] = given;
    return name;
  }

  /** A random literal of the operation itself that a variable can replace. */
  someLiteral(test = () => true) {
    return this.some("values", (at) => !at.isDefault && at.definition === this.operation && isConstant(at.node) && test(at));
  }
}

/** A random leaf field of this type without arguments. */
export const leafOf = (type, random, test = () => true) => {
  const fit = Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)) && field.args.length === 0 && test(field));
  return fit.length > 0 ? random.pick(fit) : undefined;
};
