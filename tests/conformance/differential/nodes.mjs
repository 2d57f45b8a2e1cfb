// Constructors of nodes in graphql-js's syntax tree, as far as the documents here need them.

import { Kind, isListType, isNonNullType } from "graphql";

export const name = (value) => ({ kind: Kind.NAME, value });
export const variable = (of) => ({ kind: Kind.VARIABLE, name: name(of) });
export const named = (type) => ({ kind: Kind.NAMED_TYPE, name: name(type) });
export const argument = (of, value) => ({ kind: Kind.ARGUMENT, name: name(of), value });
export const objectField = (of, value) => ({ kind: Kind.OBJECT_FIELD, name: name(of), value });
export const set = (selections) => ({ kind: Kind.SELECTION_SET, selections });
export const directive = (of, args = []) => ({ kind: Kind.DIRECTIVE, name: name(of), arguments: args });
export const spread = (of) => ({ kind: Kind.FRAGMENT_SPREAD, name: name(of), directives: [] });

export const int = (value) => ({ kind: Kind.INT, value: String(value) });
export const float = (value) => ({ kind: Kind.FLOAT, value: String(value) });
export const string = (value, block = false) => ({ kind: Kind.STRING, value, block });
export const boolean = (value) => ({ kind: Kind.BOOLEAN, value });
export const enumValue = (value) => ({ kind: Kind.ENUM, value });
export const nothing = () => ({ kind: Kind.NULL });
export const list = (values) => ({ kind: Kind.LIST, values });
export const object = (fields) => ({ kind: Kind.OBJECT, fields });

export const field = (of, { alias, args = [], selections } = {}) => ({
  kind: Kind.FIELD,
  alias: alias && name(alias),
  name: name(of),
  arguments: args,
  directives: [],
  selectionSet: selections && set(selections),
});

export const inline = (type, selections) => ({
  kind: Kind.INLINE_FRAGMENT,
  typeCondition: type && named(type),
  directives: [],
  selectionSet: set(selections),
});

export const fragment = (of, type, selections) => ({
  kind: Kind.FRAGMENT_DEFINITION,
  name: name(of),
  typeCondition: named(type),
  directives: [],
  selectionSet: set(selections),
});

/** The syntax node of a type. */
export const typeNode = (type) => {
  if (isNonNullType(type)) return { kind: Kind.NON_NULL_TYPE, type: typeNode(type.ofType) };
  if (isListType(type)) return { kind: Kind.LIST_TYPE, type: typeNode(type.ofType) };
  return named(type.name);
};

export const definition = (of, type, defaultValue) => ({
  kind: Kind.VARIABLE_DEFINITION,
  variable: variable(of),
  type: typeNode(type),
  defaultValue,
  directives: [],
});

/** A JSON value as a literal without variables. */
export const literal = (value) => {
  if (value === null) return nothing();
  if (Array.isArray(value)) return list(value.map(literal));
  if (typeof value === "object") return object(Object.entries(value).map(([key, item]) => objectField(key, literal(item))));
  if (typeof value === "string") return string(value);
  if (typeof value === "boolean") return boolean(value);
  return Number.isInteger(value) ? int(value) : float(value);
};

/** The response key of a field. */
export const key = (node) => (node.alias ?? node.name).value;

export const clone = (node) => structuredClone(node);
