// Where the service's verdict may differ from graphql-js 16's, and why: the complete list, repeated in
// docs/conformance.md. `differential.test.mjs` checks for each example that graphql-js still returns `graphqlJs`,
// and that the judge returns `right`. A row that a newer graphql-js makes needless fails there.

const ID = "01990000-0000-7000-8000-0000000000a1";

export const DIFFERENCES = [
  {
    name: "conditions at a subscription's root",
    section: "5.2.4.1",
    reason: "September 2025 forbids `@skip` and `@include` there. graphql-js 16 evaluates them without variables: a literal may leave no field, a variable makes it throw.",
    graphqlJs: "ok",
    right: "refused",
    examples: [
      { document: "subscription { activations @skip(if: true) { id } }" },
      { document: "subscription { activations @include(if: true) { id } changes @skip(if: true) { position } }" },
      { document: "subscription { ... @include(if: true) { activations { id } } }" },
      { document: "subscription { ...F } fragment F on Subscription { activations @include(if: true) { id } }" },
    ],
  },
  {
    name: "introspection below introspection",
    section: "5.3.1",
    reason: "`MaxIntrospectionDepthRule` is a recommendation of graphql-js 16, not of the specification. The service bounds depth and cost by limits of its own (docs/security.md).",
    graphqlJs: "refused",
    right: "ok",
    examples: [{ document: "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }" }],
  },
  {
    name: "null at a place with a default",
    section: "6.4.1",
    reason: "5.8.5 lets a nullable variable stand where a non-null place or the variable has a default; a null given at run time is then an error of the field. The service coerces all arguments before the first field runs, so that no mutation is half run, and refuses the request.",
    graphqlJs: "ok",
    right: "refused",
    examples: [
      {
        document: `mutation ($a: Boolean) { publishVersion(input: {agentId: "${ID}", systemPrompt: "", modelName: "m", activate: $a}) { revision } }`,
        variables: { a: null },
      },
      { document: "query ($i: Boolean = true) { viewer { kind name @include(if: $i) } }", variables: { i: null } },
      { document: 'query ($i: ID = "x") { agent(id: $i) { id } }', variables: { i: null } },
    ],
  },
];

/** Requests that are never generated, because more than one verdict is right, or because another test covers them. */
export const NOT_COMPARED = [
  ["`2.0` for an Int in variables", "JavaScript's JSON does not tell `2.0` from `2`"],
  ["integers beyond 2^53 in variables", "JavaScript's JSON rounds them; the JSON reader's own tests hold them"],
  ["enum values within a JSON literal", "the specification leaves the literals of a custom scalar to it"],
  ["instants that only chrono reads, such as `2026-1-2 3:4:5 UTC`", "the description promises RFC 3339, more may be read"],
  ["`\"a\"` beside `\"\"\"a\"\"\"` as one argument of merged fields", "\"identical\" (5.3.2) is compared as text by graphql-js, as a value by others"],
  ["`operationName: \"\"`", "the service takes it for none, as many clients mean it; tests of HTTP hold it"],
  ["documents above the service's limits", "tests/guard holds them"],
];
