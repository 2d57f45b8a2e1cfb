import { describe, expect, it } from "vitest";
import { hunksOf } from "./hunks";

describe("lines that differ", () => {
  it("are none for the same text", () => {
    expect(hunksOf("a\n", "a\n")).toEqual([]);
  });

  it("have their numbers on both sides", () => {
    expect(hunksOf("a\nb\nc", "a\nB\nc")).toEqual([
      {
        oldStart: 1,
        newStart: 1,
        lines: [
          { kind: "CONTEXT", text: "a" },
          { kind: "REMOVED", text: "b" },
          { kind: "ADDED", text: "B" },
          { kind: "CONTEXT", text: "c" },
        ],
      },
    ]);
  });

  it("are whole for an empty start", () => {
    expect(hunksOf("", "a")?.[0]?.lines).toEqual([{ kind: "ADDED", text: "a" }]);
  });
});
