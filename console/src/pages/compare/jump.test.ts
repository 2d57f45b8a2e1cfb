import { describe, expect, it } from "vitest";
import { nextPlace } from "./jump";

describe("the next change", () => {
  it("begins at the end that the step comes from", () => {
    expect(nextPlace(-1, 1, 3)).toBe(0);
    expect(nextPlace(-1, -1, 3)).toBe(2);
  });

  it("goes round", () => {
    expect(nextPlace(2, 1, 3)).toBe(0);
    expect(nextPlace(0, -1, 3)).toBe(2);
  });

  it("is nowhere when nothing differs", () => {
    expect(nextPlace(-1, 1, 0)).toBe(-1);
  });
});
