// The verdict on a request: whether the service must run it, or reject it before any of it runs.
//
// graphql-js 16 is the judge. `differences.mjs` lists where it differs from the specification of September 2025, or
// where the service promises more than both. The two rules below replace it there.

import {
  GraphQLError, GraphQLIncludeDirective, GraphQLSkipDirective, Kind, SingleFieldSubscriptionsRule, TypeInfo, getOperationAST, parse,
  recommendedRules, specifiedRules, validate, visit, visitWithTypeInfo,
} from "graphql";
import { getArgumentValues, getDirectiveValues, getVariableValues } from "graphql/execution/values.js";

/** The section of the specification that each rule of graphql-js implements. */
export const SECTIONS = {
  ExecutableDefinitionsRule: "5.1.1 Executable Definitions",
  UniqueOperationNamesRule: "5.2.2.1 Operation Name Uniqueness",
  LoneAnonymousOperationRule: "5.2.3.1 Lone Anonymous Operation",
  SingleRootFieldRule: "5.2.4.1 Single Root Field",
  SingleFieldSubscriptionsRule: "5.2.4.1 Single Root Field",
  FieldsOnCorrectTypeRule: "5.3.1 Field Selections",
  OverlappingFieldsCanBeMergedRule: "5.3.2 Field Selection Merging",
  ScalarLeafsRule: "5.3.3 Leaf Field Selections",
  KnownArgumentNamesRule: "5.4.1 Argument Names",
  UniqueArgumentNamesRule: "5.4.2 Argument Uniqueness",
  ProvidedRequiredArgumentsRule: "5.4.3 Required Arguments",
  UniqueFragmentNamesRule: "5.5.1.1 Fragment Name Uniqueness",
  KnownTypeNamesRule: "5.5.1.2 Fragment Spread Type Existence",
  FragmentsOnCompositeTypesRule: "5.5.1.3 Fragments on Object, Interface or Union Types",
  NoUnusedFragmentsRule: "5.5.1.4 Fragments Must Be Used",
  KnownFragmentNamesRule: "5.5.2.1 Fragment Spread Target Defined",
  NoFragmentCyclesRule: "5.5.2.2 Fragment Spreads Must Not Form Cycles",
  PossibleFragmentSpreadsRule: "5.5.2.3 Fragment Spread Is Possible",
  ValuesOfCorrectTypeRule: "5.6.1 Values of Correct Type",
  UniqueInputFieldNamesRule: "5.6.3 Input Object Field Uniqueness",
  KnownDirectivesRule: "5.7.1 Directives Are Defined",
  UniqueDirectivesPerLocationRule: "5.7.3 Directives Are Unique per Location",
  UniqueVariableNamesRule: "5.8.1 Variable Uniqueness",
  VariablesAreInputTypesRule: "5.8.2 Variables Are Input Types",
  NoUndefinedVariablesRule: "5.8.3 All Variable Uses Defined",
  NoUnusedVariablesRule: "5.8.4 All Variables Used",
  VariablesInAllowedPositionRule: "5.8.5 All Variable Usages Are Allowed",
};

/** Further sections that a rule of graphql-js implements, distinguished by its message. */
export const FINER = [
  ["ValuesOfCorrectTypeRule", / is not defined by type /, "5.6.2 Input Object Field Names"],
  ["ValuesOfCorrectTypeRule", /^Field ".*" of required type .* was not provided/, "5.6.4 Input Object Required Fields"],
  ["KnownDirectivesRule", / may not be used on /, "5.7.2 Directives Are in Valid Locations"],
];

export const STAGES = {
  parse: "2 Language",
  operation: "6.1 Executing Requests",
  variables: "6.1.2 Coercing Variable Values",
  arguments: "6.4.1 Coercing Field Arguments",
};

/** 5.2.4.1 as of September 2025: one response name at the root, no introspection, neither `@skip` nor `@include`. */
export function SingleRootFieldRule(context) {
  return {
    OperationDefinition(operation) {
      const root = context.getSchema().getSubscriptionType();
      if (operation.operation !== "subscription" || !root) return;
      const names = new Set();
      const seen = new Set();
      const report = (what, node) => context.reportError(new GraphQLError(`A subscription's root ${what}.`, { nodes: node }));
      const collect = (selectionSet) => {
        for (const selection of selectionSet.selections) {
          const conditional = selection.directives.find(({ name }) => ["skip", "include"].includes(name.value));
          if (conditional) report("must not have @skip or @include", conditional);
          if (selection.kind === Kind.FIELD) {
            names.add((selection.alias ?? selection.name).value);
            if (selection.name.value.startsWith("__")) report("must not be an introspection field", selection);
            continue;
          }
          if (selection.kind === Kind.FRAGMENT_SPREAD) {
            if (seen.has(selection.name.value)) continue;
            seen.add(selection.name.value);
          }
          const fragment =
            selection.kind === Kind.FRAGMENT_SPREAD ? context.getFragment(selection.name.value) : selection;
          const condition = fragment?.typeCondition?.name.value ?? root.name;
          if (fragment && condition === root.name) collect(fragment.selectionSet);
        }
      };
      collect(operation.selectionSet);
      if (names.size > 1) report("has exactly one field", operation);
    },
  };
}

/** The rules of the specification of September 2025, in the order of graphql-js. */
export const RULES = specifiedRules
  .filter((rule) => !recommendedRules.includes(rule))
  .map((rule) => (rule === SingleFieldSubscriptionsRule ? SingleRootFieldRule : rule));

const refused = (stage, rule, message, rules) => ({ verdict: "refused", stage, rule, message, rules });
const OK = { verdict: "ok" };

/** The errors of `RULES`, each with the name of its rule and the section. */
export function violations(schema, document, rules = RULES) {
  // One pass finds out whether there are any; only then each rule runs alone.
  if (validate(schema, document, rules, { maxErrors: 1 }).length === 0) return [];
  return rules.flatMap((rule) =>
    validate(schema, document, [rule], { maxErrors: 20 }).map(({ message }) => ({
      rule: rule.name,
      section: FINER.find(([name, pattern]) => name === rule.name && pattern.test(message))?.[2] ?? SECTIONS[rule.name],
      message,
    })),
  );
}

/**
 * The verdict on a request. `stage` rejects it, `rule` is the section of the specification that it breaks, and
 * `rules` are all sections that validation found broken.
 */
export function judge(schema, { document: text, operationName, variables: given }, rules = RULES) {
  const variables = given ?? {};
  let document;
  try {
    document = parse(text);
  } catch (error) {
    return refused("parse", STAGES.parse, error.message);
  }
  const found = violations(schema, document, rules);
  if (found.length > 0) {
    const sections = [...new Set(found.map(({ section }) => section))];
    return refused("validate", sections[0], found[0].message, sections);
  }
  const operation = getOperationAST(document, operationName);
  if (!operation) return refused("operation", STAGES.operation, "no operation of this name, or several and no name");
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (errors) return refused("variables", STAGES.variables, errors[0].message);
  const message = argumentsOf(schema, document, operation, coerced);
  return message ? refused("arguments", STAGES.arguments, message) : OK;
}

/** Errors in arguments of the fields that would run, and of their directives, after variables have been replaced. */
function argumentsOf(schema, document, operation, variables) {
  const fragments = new Map();
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const info = new TypeInfo(schema);
  const visited = new Set();
  const isLeftOut = (node) =>
    getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true
    || getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false;
  const walk = (root) => {
    visit(root, visitWithTypeInfo(info, {
      enter(node) {
        if (![Kind.FIELD, Kind.INLINE_FRAGMENT, Kind.FRAGMENT_SPREAD].includes(node.kind)) return undefined;
        if (isLeftOut(node)) return false;
        if (node.kind === Kind.FIELD) getArgumentValues(info.getFieldDef(), node, variables);
        if (node.kind === Kind.FRAGMENT_SPREAD && !visited.has(node.name.value)) {
          visited.add(node.name.value);
          spread.push(node.name.value);
        }
        return undefined;
      },
    }));
  };
  const spread = [];
  try {
    walk(operation);
    while (spread.length > 0) walk(fragments.get(spread.pop()));
  } catch (error) {
    if (error instanceof GraphQLError) return error.message;
    throw error;
  }
  return undefined;
}
