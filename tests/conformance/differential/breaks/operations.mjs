// Documents and operations (sections 5.1 and 5.2).

import { Kind } from "graphql";
import * as n from "../nodes.mjs";

/** Each way: section, name, change, and needs. */
export const OPERATIONS = [
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
];

/** Wrong values of `operationName` (section 6.1). */
export const CHOICES = [
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
