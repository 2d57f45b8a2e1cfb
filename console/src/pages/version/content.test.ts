import { describe, expect, it } from "vitest";
import type { VersionContentFragment } from "~/__generated__/graphql";
import { contentOf, copiesOf, shellQuote, size } from "./content";

const version = {
  number: 3,
  modelName: "m",
  systemPrompt: "It's {{city}}",
  modelParameters: { temperature: 0.2 },
  extensions: {},
  tools: [{ name: "find", title: null, description: "d", inputSchema: { type: "object" }, outputSchema: null, annotations: null, icons: null, execution: null, strict: null, _meta: null, additional: null }],
} as unknown as VersionContentFragment;

describe("a copied version", () => {
  it("has what was published, and no empty members", () => {
    expect(contentOf(version).tools).toEqual([{ name: "find", description: "d", inputSchema: { type: "object" } }]);
  });

  it("survives a shell", () => {
    expect(shellQuote("It's")).toBe(`'It'\\''s'`);
    const { curl, rest } = copiesOf("a1", version, "https://r.example");
    expect(curl).toContain("https://r.example/graphql");
    expect(rest).toContain("/v1/agents/a1/versions");
    expect(rest).toContain(`It'\\''s {{city}}`);
  });

  it("has a size that people read", () => {
    expect(size(512)).toBe("512 bytes");
    expect(size(12_345)).toBe("12.1 KiB");
  });
});
