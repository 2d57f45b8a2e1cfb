import { describe, expect, it } from "vitest";
import { RECIPES } from "./recipes";

const options = { origin: "https://registry.example.org", environment: "staging", customer: "c-1", agents: ["a-1", "a-2"] };

describe("what to run", () => {
  it.each(RECIPES.map((recipe) => [recipe.key, recipe] as const))("%s names the real address and environment, and holds no secret", (_, { code }) => {
    const text = code(options);
    expect(text).toMatch(/(https|wss):\/\/registry\.example\.org/);
    expect(text).toContain("staging");
    expect(text).toContain("REGISTRY_TOKEN");
  });

  it("follows only the agents that were chosen", () => {
    const sidecar = RECIPES.find(({ key }) => key === "sidecar");
    expect(sidecar?.code(options)).toContain("--agent a-1 \\\n  --agent a-2");
    expect(sidecar?.code({ ...options, agents: [] })).not.toContain("--agent");
  });
});
