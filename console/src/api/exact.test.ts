import { describe, expect, it } from "vitest";
import { exactNumber, numberText, parseExact } from "./exact";

const isExact = "rawJSON" in JSON;

describe("exact JSON", () => {
  it("is what it was", () => {
    expect(parseExact('{"a":[1,"x",null,{"b":true}]}')).toEqual({ a: [1, "x", null, { b: true }] });
  });

  it.runIf(isExact)("keeps the text of numbers", () => {
    const text = '{"temperature":0.70,"seed":9007199254740993,"n":1}';
    expect(JSON.stringify(parseExact(text))).toBe(text);
    expect(numberText(exactNumber("1.0"))).toBe("1.0");
  });

  it("tells numbers from other texts", () => {
    for (const text of ["", "0.", ".5", "1e", "01", "+1", "NaN", "1,5"]) expect(exactNumber(text), text).toBeNull();
    expect(numberText(exactNumber("0.5"))).toBe("0.5");
    expect(numberText("0.5")).toBeNull();
    expect(numberText({})).toBeNull();
  });
});
