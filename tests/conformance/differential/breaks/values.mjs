// Values and directives (sections 5.6 and 5.7).

import { Kind, getNamedType, getNullableType, isInputObjectType, isNonNullType } from "graphql";
import * as n from "../nodes.mjs";
import { isConstant } from "../places.mjs";
import { isRequired } from "../values.mjs";
import { wrongLiteral } from "../wrong.mjs";

/** As in operations.mjs. */
export const VALUES = [
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
];
