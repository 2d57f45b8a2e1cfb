import { describe, expect, it } from "vitest";
import { boundsOf, isObject, rowsOf, valuesOf, withRows, type Json } from "./schema";

const flat: Json = {
  type: "object",
  properties: {
    query: { type: "string", description: "What to look for" },
    limit: { type: "integer", minimum: 1, maximum: 20 },
    kind: { enum: ["building", "sign"] },
  },
  required: ["query"],
  additionalProperties: false,
};

describe("a flat schema", () => {
  it("becomes rows, and the same schema again", () => {
    const rows = rowsOf(flat) ?? [];
    expect(rows.map(({ name, type, isRequired, values }) => [name, type, isRequired, values])).toEqual([
      ["query", "string", true, ""],
      ["limit", "integer", false, ""],
      ["kind", "", false, '"building", "sign"'],
    ]);
    expect(withRows(flat, rows)).toEqual(flat);
  });

  it("keeps what rows don't show when a row changes", () => {
    const rows = rowsOf(flat) ?? [];
    const changed = withRows(flat, rows.map((row) => (row.name === "limit" ? { ...row, isRequired: true } : row)));
    expect(changed["additionalProperties"]).toBe(false);
    expect(changed["required"]).toEqual(["query", "limit"]);
    expect((changed["properties"] as Json)["limit"]).toEqual({ type: "integer", minimum: 1, maximum: 20 });
  });
});

describe("other schemas stay JSON", () => {
  it.each([
    ["a reference", { type: "object", properties: { a: { $ref: "#/$defs/a" } } }],
    ["a nested object", { type: "object", properties: { a: { type: "object", properties: {} } } }],
    ["a choice", { oneOf: [] }],
    ["two types", { type: "object", properties: { a: { type: ["string", "null"] } } }],
    ["a required name without a property", { type: "object", properties: {}, required: ["a"] }],
    ["a list", []],
    ["nothing", null],
  ])("%s", (_, schema) => {
    expect(rowsOf(schema)).toBeNull();
  });
});

describe("values", () => {
  it("are JSON, or plain words", () => {
    expect(valuesOf('"a", 2, null')).toEqual(["a", 2, null]);
    expect(valuesOf("building, sign")).toEqual(["building", "sign"]);
    expect(valuesOf("")).toEqual([]);
    expect(valuesOf('"a')).toBeNull();
  });

  it("have bounds in words", () => {
    expect(boundsOf({ minimum: 1, maximum: 20 })).toBe("from 1 · to 20");
    expect(boundsOf({ items: { type: "string" } })).toBe('items: {"type":"string"}');
  });

  it("aren't raw numbers", () => {
    expect(isObject({ rawJSON: "1.0" })).toBe(false);
  });
});
