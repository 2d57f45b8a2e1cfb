import { describe, expect, it } from "vitest";
import { absolute, clock, duration, relative } from "./time";

describe("times", () => {
  it("take the largest unit that fits", () => {
    expect(duration(59)).toBe("59 s");
    expect(duration(125)).toBe("2 min");
    expect(duration(7200)).toBe("2 h");
    expect(duration(86_400 * 9)).toBe("9 d");
    expect(duration(86_400 * 100)).toBe("3 months");
    expect(duration(86_400 * 800)).toBe("2 years");
  });

  it("say on which side of now they are", () => {
    const now = Date.UTC(2026, 10, 29, 13);
    expect(relative(now - 2000, now)).toBe("just now");
    expect(relative(now - 120_000, now)).toBe("2 min ago");
    expect(relative(now + 86_400_000 * 6, now)).toBe("in 6 d");
  });

  it("are exact in the reader's zone", () => {
    const at = "2026-11-29T13:02:11Z";
    expect(absolute(at, "Europe/Berlin")).toBe("29 November 2026 at 14:02:11 CET");
    expect(clock(at, "UTC")).toBe("13:02");
  });
});
