// Variables (section 5.8), and wrong values of them (6.1.2 and 6.4.1).

import { GraphQLList, GraphQLNonNull, getNamedType, getNullableType, isInputObjectType, isInputType, isListType, isNonNullType, typeFromAST } from "graphql";
import * as n from "../nodes.mjs";
import { isConstant } from "../places.mjs";
import { literal, value } from "../values.mjs";
import { wrongValue } from "../wrong.mjs";

/** As in operations.mjs. */
export const VARIABLES = [
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

const variableOf = (r, test = () => true) => {
  const at = r.someLiteral(({ type, isDirective }) => test(type) && (r.random.chance(0.3) || !isDirective));
  if (at) return [r.replace(at, at.type), at.type, at.place];
  const fit = (r.operation.variableDefinitions ?? []).filter((node) => test(typeFromAST(r.schema, node.type)));
  if (fit.length === 0) return [];
  const node = r.random.pick(fit);
  return [node.variable.name.value, typeFromAST(r.schema, node.type), ""];
};

/** Values that variables don't accept (6.1.2). */
export const COERCED = [
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

/** Values that an argument doesn't accept after variables have been replaced (6.4.1). */
export const ARGUMENTS = [
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
