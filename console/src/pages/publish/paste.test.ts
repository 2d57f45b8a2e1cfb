import { describe, expect, it } from "vitest";
import { readTools, replacedNames } from "./paste";

const schema = { type: "object", properties: { q: { type: "string" } }, required: ["q"] };
const found = (value: unknown) => readTools(JSON.stringify(value));

describe("pasted tools", () => {
  it("of an MCP tools/list, as an answer or as its result", () => {
    const mcp = { name: "find", title: "Find", description: "d", inputSchema: schema, annotations: { readOnlyHint: true } };
    const expected = { ok: true, forms: ["MCP"], tools: [mcp] };
    expect(found({ jsonrpc: "2.0", id: 1, result: { tools: [mcp], nextCursor: "x" } })).toEqual(expected);
    expect(found({ tools: [mcp] })).toEqual(expected);
    expect(found(mcp)).toEqual(expected);
  });

  it("of OpenAI, in both of its forms", () => {
    const expected = { ok: true, forms: ["OpenAI"], tools: [{ name: "find", description: "d", strict: true, inputSchema: schema }] };
    expect(found([{ type: "function", function: { name: "find", description: "d", strict: true, parameters: schema } }])).toEqual(expected);
    expect(found([{ type: "function", name: "find", description: "d", strict: true, parameters: schema }])).toEqual(expected);
  });

  it("of Anthropic, with what the registry doesn't know kept", () => {
    expect(found([{ type: "custom", name: "find", input_schema: schema, cache_control: { type: "ephemeral" } }])).toEqual({
      ok: true,
      forms: ["Anthropic"],
      tools: [{ name: "find", inputSchema: schema, additional: { cache_control: { type: "ephemeral" } } }],
    });
  });

  it("of several forms at once", () => {
    expect(found([{ name: "a", inputSchema: schema }, { name: "b", input_schema: schema }])).toMatchObject({ ok: true, forms: ["MCP", "Anthropic"] });
  });

  it("that can't be read say why", () => {
    expect(found({ model: "x" })).toMatchObject({ ok: false });
    expect(found([])).toEqual({ ok: false, message: "The list is empty." });
    expect(found([{ name: "a" }, { description: "no name" }])).toEqual({ ok: false, message: "Tool 2 has no name." });
    expect(found([{ type: "web_search" }])).toMatchObject({ message: expect.stringContaining("built into the provider") as string });
    expect(readTools("{")).toMatchObject({ ok: false });
  });

  it("replace those of the same name", () => {
    expect(replacedNames([{ name: "a" }, { name: "b" }], [{ name: "b " }])).toEqual(["b"]);
  });
});
