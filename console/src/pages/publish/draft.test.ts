import { describe, expect, it } from "vitest";
import type { VersionContentFragment } from "~/__generated__/graphql";
import { contentOf } from "~/pages/version/content";
import { draftOf, fieldOf, inputOf, jsonErrors, lineOf, ordered, parameterOf, toolDraft, withParameter, type Draft } from "./draft";

const version = {
  modelName: "m",
  systemPrompt: "Hi",
  modelParameters: { temperature: 0.2 },
  extensions: { "org.example.x": 1 },
  tools: [
    { name: "find", title: null, description: "d", inputSchema: { type: "object", properties: { q: { type: "string" } }, required: ["q"] }, outputSchema: null, annotations: { readOnlyHint: true }, icons: null, execution: null, strict: true, _meta: null, additional: null },
    { name: "deep", title: "Deep", description: null, inputSchema: { oneOf: [] }, outputSchema: null, annotations: null, icons: null, execution: null, strict: null, _meta: null, additional: null },
    { name: "bare", title: null, description: null, inputSchema: null, outputSchema: null, annotations: null, icons: null, execution: null, strict: null, _meta: null, additional: null },
  ],
} as unknown as VersionContentFragment;

const empty: Draft = { modelName: "m", systemPrompt: "", parameters: "", extensions: "", tools: [] };

describe("a draft", () => {
  it("that wasn't touched is the version that it started from", () => {
    const { content, problems } = inputOf(draftOf(version));
    expect(problems).toEqual([]);
    const base = contentOf(version);
    expect(JSON.stringify(content)).toBe(JSON.stringify({ ...base, tools: base.tools?.map(ordered) }));
  });

  it("says all that is wrong at once", () => {
    const tool = toolDraft({ name: "find", inputSchema: { type: "object", properties: { q: {} } } });
    const { problems } = inputOf({
      modelName: " ",
      systemPrompt: "",
      parameters: "{",
      extensions: "[]",
      tools: [tool, { ...tool, rows: [...tool.rows, ...tool.rows] }, { ...tool, name: "", more: "{,}" }],
    });
    expect(problems.map(({ path }) => path?.join("."))).toEqual(["modelName", "modelParameters", "tools.1.name", "tools.1.inputSchema", "tools.2.name", "tools.2.more", "extensions"]);
  });

  it("gives a tool without a schema none", () => {
    const { content } = inputOf({ ...empty, tools: [toolDraft({ name: "a" })] });
    expect(content.tools).toEqual([{ name: "a" }]);
  });
});

describe("JSON that is wrong", () => {
  it("has a line, in each browser's words", () => {
    expect(lineOf("Unexpected token } in JSON at position 4", "{\n\n\n}")).toBe(4);
    expect(lineOf("JSON.parse: expected property name at line 2 column 1 of the JSON data", "")).toBe(2);
    expect(lineOf("JSON Parse error: Expected '}'", "{\n")).toBe(2);
    expect(jsonErrors("{}")).toEqual([]);
    expect(jsonErrors("")).toEqual([]);
    expect(jsonErrors("{\n  a")).toHaveLength(1);
  });
});

describe("an error of the service", () => {
  it.each([
    [["modelParameters", "temperature"], "modelParameters"],
    [["tools", "1", "inputSchema", "properties", "a"], "tools.1.inputSchema"],
    [["tools", "1", "annotations"], "tools.1.more"],
    [["tools", "1"], "tools.1.name"],
    [["systemPrompt"], "systemPrompt"],
  ])("at %s is shown at %s", (path, field) => {
    expect(fieldOf({ path, message: "" }).path?.join(".")).toBe(field);
  });

  it("without steps uses its field", () => {
    expect(fieldOf({ field: "extensions.org", message: "" }).path).toEqual(["extensions"]);
  });
});

describe("one parameter", () => {
  it("is set among the others, and removed", () => {
    const text = withParameter('{"a":1,"temperature":0.5}', "temperature", 0.7);
    expect(JSON.parse(text ?? "")).toEqual({ a: 1, temperature: 0.7 });
    expect(withParameter('{"temperature":1}', "temperature", undefined)).toBe("");
    expect(withParameter("[", "temperature", 1)).toBeNull();
    expect(parameterOf('{"top_p":0.5}', "top_p")).toBe(0.5);
    expect(parameterOf("{", "top_p")).toBeUndefined();
  });
});
