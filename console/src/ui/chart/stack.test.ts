import { describe, expect, it } from "vitest";
import { daysFrom, stack } from "./stack";

describe("bars", () => {
  it("stand on each other", () => {
    expect(stack([[1, 0, 2], [3, 1]], 3)).toEqual([
      [1, 0, 2],
      [4, 1, 2],
    ]);
  });

  it("have a day each, over the end of a month", () => {
    expect(daysFrom("2026-02-27", 3)).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
  });
});
