// A request that is about to be broken, and what the ways to break one have in common.

import { Kind, getNamedType, isLeafType } from "graphql";
import * as n from "../nodes.mjs";
import { isConstant, places } from "../places.mjs";

/** A request, and the places in it. */
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

/** Some field of this type that is a leaf without arguments. */
export const leafOf = (type, random, test = () => true) => {
  const fit = Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)) && field.args.length === 0 && test(field));
  return fit.length > 0 ? random.pick(fit) : undefined;
};
