import { describe, expect, it } from "vitest";
import { PRESETS, SCOPES, whyEverywhere, whyNotScope } from "./scopes";

describe("scopes", () => {
  it("that reach everywhere can't be limited", () => {
    expect(whyNotScope("CHANGES_READ", ["production"])).toMatch(/every environment/);
    expect(whyNotScope("CHANGES_READ", null)).toBeNull();
    expect(whyNotScope("CONFIGS_READ", ["production"])).toBeNull();
    expect(whyEverywhere(["CONFIGS_READ", "AGENTS_WRITE"])).toMatch(/Write agents/);
    expect(whyEverywhere(["CONFIGS_READ"])).toBeNull();
  });

  it("of every preset are offered one by one too", () => {
    const offered = SCOPES.map(({ value }) => value);
    for (const { scopes } of PRESETS) expect(offered).toEqual(expect.arrayContaining(scopes));
  });
});
