import { describe, expect, it } from "vitest";
import { command, consent, keep, listed, outcome, question } from "./sentences";

describe("the dialog says verb, thing and place", () => {
  it("in its title", () => {
    expect(question("activate", "production", 13, 15)).toBe("Serve 15 instead of 13 in production?");
    expect(question("activate", "staging", null, 1)).toBe("Serve 1 in staging?");
    expect(question("rollback", "production", 14, 13)).toBe("Roll back production from 14 to 13?");
    expect(question("deactivate", "production", 14, null)).toBe("Stop serving in production?");
  });

  it("on its buttons", () => {
    expect(command("promote", "production", 15)).toBe("Serve 15 in production");
    expect(command("rollback", "production", 13)).toBe("Roll back production to 13");
    expect(keep(14)).toBe("Keep 14");
    expect(keep(null)).toBe("Leave it as it is");
  });

  it("in what came of it", () => {
    expect(outcome("production", 15)).toBe("production serves 15.");
    expect(outcome("production", null)).toBe("production serves nothing now.");
  });
});

describe("a box", () => {
  const finding = (impact: "NARROWED" | "REMOVED", path: string[], toolName: string | null = null) => ({ impact, path, toolName });

  it("names the tools and variables of its own impact", () => {
    const findings = [finding("NARROWED", ["tools", "find"], "find"), finding("NARROWED", ["variables", "date"]), finding("REMOVED", ["tools", "old"], "old")];
    expect(consent("NARROWED", findings)).toBe("Running conversations may fail when they call find. Gateways have to fill date.");
    expect(consent("REMOVED", findings)).toBe("Running conversations fail when they call old.");
  });

  it("has words where nothing is named", () => {
    expect(consent("NARROWED", [])).toMatch(/^Running conversations may fail/);
  });

  it("doesn't list all of many", () => {
    expect(listed(["a"])).toBe("a");
    expect(listed(["a", "b"])).toBe("a and b");
    expect(listed(["a", "b", "c", "d"])).toBe("a, b, c and d");
    expect(listed(["a", "b", "c", "d", "e"])).toBe("a, b, c and 2 more");
  });
});
