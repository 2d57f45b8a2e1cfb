// The places of a document where something can be broken.

import { Kind, TypeInfo, getNamedType, isInputObjectType, isListType, isNonNullType, typeFromAST, visit, visitWithTypeInfo } from "graphql";

/** The fields, selection sets and literals of a document, each with its types in the schema. */
export function places(schema, document) {
  const found = { fields: [], sets: [], values: [], directives: [] };
  const info = new TypeInfo(schema);
  /** Records `holder[key]`, a value at a place of this type. */
  const values = (type, holder, key, of) => {
    if (!type) return;
    const node = holder[key];
    found.values.push({ ...of, type, holder, key, node });
    const bare = isNonNullType(type) ? type.ofType : type;
    if (node.kind === Kind.LIST) {
      const item = isListType(bare) ? bare.ofType : bare.name === "JSON" ? bare : undefined;
      node.values.forEach((_, index) => values(item, node.values, index, { ...of, isWithin: true, isItem: true, hasDefault: false }));
    }
    if (node.kind === Kind.OBJECT) {
      for (const entry of node.fields) {
        const field = isInputObjectType(bare) ? bare.getFields()[entry.name.value] : undefined;
        const inner = field?.type ?? (bare.name === "JSON" ? bare : undefined);
        const hasDefault = field !== undefined && field.defaultValue !== undefined;
        values(inner, entry, "value", { ...of, isWithin: true, isItem: false, hasDefault, place: entry.name.value });
      }
    }
  };
  const definitionOf = (ancestors) => ancestors.find((node) => node.kind === Kind.OPERATION_DEFINITION || node.kind === Kind.FRAGMENT_DEFINITION);
  visit(document, visitWithTypeInfo(info, {
    SelectionSet(node, _key, parent, _path, ancestors) {
      const definition = definitionOf([...ancestors, parent]);
      found.sets.push({ node, type: getNamedType(info.getParentType()), definition, isRoot: parent === definition });
    },
    Field(node, _key, siblings, _path, ancestors) {
      const def = info.getFieldDef();
      found.fields.push({ node, siblings, def, parentType: info.getParentType(), type: getNamedType(info.getType()), definition: definitionOf(ancestors) });
    },
    Directive(node, _key, siblings) {
      found.directives.push({ node, siblings });
    },
    Argument(node, _key, siblings, _path, ancestors) {
      const arg = info.getArgument();
      values(arg?.type, node, "value", {
        place: node.name.value, isWithin: false, isItem: false, hasDefault: arg?.defaultValue !== undefined, siblings,
        definition: definitionOf(ancestors), isDirective: info.getDirective() != null,
      });
      return undefined;
    },
    VariableDefinition(node, _key, _parent, _path, ancestors) {
      const type = typeFromAST(schema, node.type);
      if (node.defaultValue) values(type, node, "defaultValue", { place: "", isWithin: false, isItem: false, isDefault: true, definition: definitionOf(ancestors) });
      return false;
    },
  }));
  return found;
}

/** Whether a literal contains no variable. */
export function isConstant(node) {
  if (node.kind === Kind.VARIABLE) return false;
  if (node.kind === Kind.LIST) return node.values.every(isConstant);
  return node.kind !== Kind.OBJECT || node.fields.every(({ value }) => isConstant(value));
}
