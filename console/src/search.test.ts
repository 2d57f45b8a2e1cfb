import { describe, expect, it } from "vitest";
import { flag, oneOf, text, texts, whole } from "./search";

describe("search parameters", () => {
  it("leave out what they don't understand", () => {
    expect(text("")).toBeUndefined();
    expect(text({})).toBeUndefined();
    expect(text(14)).toBe("14");
    expect(oneOf("DROP", ["ASC", "DESC"])).toBeUndefined();
    expect(whole("15")).toBe(15);
    expect(whole("-1")).toBeUndefined();
    expect(whole("1.5")).toBeUndefined();
    expect(flag("no")).toBeUndefined();
    expect(texts(["a", 1, null])).toEqual(["a", "1"]);
    expect(texts(undefined)).toBeUndefined();
  });
});
