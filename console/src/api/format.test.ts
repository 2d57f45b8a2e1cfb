import { parse, stripIgnoredCharacters } from "graphql";
import { describe, expect, it } from "vitest";
import { asGraphQL, formatDocument } from "./format";

const text = `query Agents($customer: ID!, $first: Int = 5, $is: Boolean!) {
  customer(id: $customer) {
    id
    list: agents(first: $first, filter: {nameContains: "a b", ids: [1, 2]}) @include(if: $is) {
      nodes {
        ...Row
        ... on Node {
          id
        }
      }
    }
  }
}

fragment Row on Agent {
  name
}
`;

describe("a document", () => {
  it("is written with a line for each field, and means the same", () => {
    const written = formatDocument(stripIgnoredCharacters(text));
    expect(stripIgnoredCharacters(written)).toBe(stripIgnoredCharacters(text));
    expect(() => parse(written)).not.toThrow();
    expect(written).toContain("  customer(id: $customer) {\n    id\n    list: agents(first: $first, filter:");
    expect(written).toContain("\n        ...Row\n        ... on Node {\n");
    expect(written.startsWith("query Agents($customer: ID!, $first: Int = 5, $is: Boolean!) {\n")).toBe(true);
  });

  it("can be copied with its variables", () => {
    expect(asGraphQL("{viewer{name}}", { a: 1 })).toContain('# Variables:\n# {\n#   "a": 1\n# }\n');
  });
});
