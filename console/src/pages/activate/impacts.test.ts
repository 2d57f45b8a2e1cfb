import { describe, expect, it } from "vitest";
import type { ChangeImpact } from "~/__generated__/graphql";
import { byImpact, impactRank, inWords, worstFirst } from "./impacts";

const finding = (impact: ChangeImpact, message = "") => ({ impact, message });

describe("the order of impacts", () => {
  it("is worst first, and stable", () => {
    const sorted = worstFirst([finding("CONTENT"), finding("REMOVED", "a"), finding("WIDENED"), finding("REMOVED", "b"), finding("UNKNOWN")]);
    expect(sorted.map(({ impact, message }) => impact + message)).toEqual(["REMOVEDa", "REMOVEDb", "UNKNOWN", "WIDENED", "CONTENT"]);
  });

  it("takes an impact that it doesn't know for the worst", () => {
    expect(impactRank("EXPLODED" as ChangeImpact)).toBeGreaterThan(impactRank("REMOVED"));
  });

  it("groups", () => {
    const groups = byImpact([finding("CONTENT", "a"), finding("NARROWED"), finding("CONTENT", "b")]);
    expect(groups.map(({ impact, items }) => [impact, items.length])).toEqual([
      ["NARROWED", 1],
      ["CONTENT", 2],
    ]);
  });
});

describe("a message of the service", () => {
  it("has no spelling of the schema in it", () => {
    expect(inWords("the change is NARROWED, and `production` allows that")).toBe("The change is “Accepts less”, and `production` allows that");
    expect(inWords("`production` needs ADMIN")).toBe("`production` needs Admin");
    expect(inWords("the parameter ADMINS differs")).toBe("The parameter ADMINS differs");
  });
});
