import { describe, expect, it } from "vitest";
import { changesBetween, variablesOf } from "./changes";

const base = { modelName: "a", systemPrompt: "", modelParameters: { temperature: 0.2, seed: 1 }, tools: [{ name: "x", description: "1" }, { name: "y" }], extensions: {} };

describe("changes", () => {
  it("are none for the same", () => {
    expect(changesBetween(base, structuredClone(base))).toEqual([]);
  });

  it("name what came, went and differs", () => {
    const next = { ...base, modelName: "b", modelParameters: { temperature: 0.3 }, tools: [{ name: "x", description: "2" }, { name: "z" }], extensions: { "org.example": [1] } };
    expect(changesBetween(base, next)).toEqual([
      { kind: "changed", what: "Model", before: "a", after: "b" },
      { kind: "changed", what: "temperature", before: "0.2", after: "0.3" },
      { kind: "removed", what: "seed", before: "1" },
      { kind: "changed", what: "x: description", before: "1", after: "2" },
      { kind: "added", what: "Tool z" },
      { kind: "removed", what: "Tool y" },
      { kind: "added", what: "Extension org.example", after: "[1]" },
    ]);
  });

  it("see another order of the tools", () => {
    expect(changesBetween(base, { ...base, tools: [...base.tools].reverse() })).toEqual([{ kind: "changed", what: "The tools’ order" }]);
  });
});

describe("variables", () => {
  it("are those that the service finds", () => {
    expect(variablesOf("Hi {{ user.name }}, {{city}} and {{user.name}}; {{ 1x }} {{}} {{a b}} {{{raw}}} {{_x-1")).toEqual(["user.name", "city", "raw"]);
    expect(variablesOf("{{a}}{{b}}{{")).toEqual(["a", "b"]);
  });
});
