import { describe, expect, it } from "vitest";
import { idsIn, labelOf, valueText } from "./fields";

const ID = "0192a7c4-1111-7222-8333-abcdefabcdef";

describe("a field of an entry", () => {
  it("has a name for people", () => {
    expect(labelOf(["billing", "status"])).toBe("Billing status");
    expect(labelOf(["minSoakSeconds"])).toBe("Time in the environment before");
    expect(labelOf(["fromEnvironment"])).toBe("From environment");
    expect(labelOf([])).toBe("Value");
  });

  it("has its value in words", () => {
    expect(valueText(["role"], "ADMIN")).toBe("Admin");
    expect(valueText(["billing", "status"], "past_due")).toBe("Payment due");
    expect(valueText(["scopes"], ["agents:read", "configs:read"])).toBe("Read agents, Read configurations");
    expect(valueText(["minSoakSeconds"], 3600)).toBe("1 hour");
    expect(valueText(["minSoakSeconds"], 5400)).toBe("1 hour and 30 minutes");
    expect(valueText(["minSoakSeconds"], 0)).toBe("none");
    expect(valueText(["name"], "PRODUCTION")).toBe("PRODUCTION");
    expect(valueText(["name"], null)).toBe("—");
  });

  it("is never an id without a name", () => {
    expect(valueText(["owner", "id"], ID)).toBe("…abcdef");
    expect(valueText(["owner", "id"], ID, new Map([[ID, "Ada Lee"]]))).toBe("Ada Lee");
    expect(idsIn([{ before: null, after: ID }, { before: [ID, "x"], after: 3 }])).toEqual([ID]);
  });
});
