import { diffWordsWithSpace } from "diff";
import { describe, expect, it } from "vitest";
import { isRewritten, partsOf, rowsOf, type Hunk } from "./rows";

const hunk: Hunk = {
  oldStart: 4,
  newStart: 7,
  lines: [
    { kind: "CONTEXT", text: "Keep" },
    { kind: "REMOVED", text: "Cite the law." },
    { kind: "REMOVED", text: "Be brief." },
    { kind: "ADDED", text: "Cite the code." },
    { kind: "CONTEXT", text: "End" },
  ],
};

describe("a hunk", () => {
  it("sets replaced lines side by side, with each side's own numbers", () => {
    const { rows, blocks } = rowsOf(hunk);
    expect(rows.map(({ old, new: now }) => [old?.number, old?.text, now?.number, now?.text])).toEqual([
      [4, "Keep", 7, "Keep"],
      [5, "Cite the law.", 8, "Cite the code."],
      [6, "Be brief.", undefined, undefined],
      [7, "End", 9, "End"],
    ]);
    expect(blocks).toHaveLength(1);
  });

  it("has no block where lines were only added", () => {
    expect(rowsOf({ ...hunk, lines: [{ kind: "ADDED", text: "New" }] }).blocks).toEqual([]);
  });
});

describe("words", () => {
  it("are marked on both sides, line by line", () => {
    const changes = diffWordsWithSpace("Cite the law.\nBe brief.", "Cite the code.\nBe brief.");
    expect(partsOf(changes, "old")).toEqual([
      [
        { text: "Cite the ", isMarked: false },
        { text: "law", isMarked: true },
        { text: ".", isMarked: false },
      ],
      [{ text: "Be brief.", isMarked: false }],
    ]);
    expect(partsOf(changes, "new")[0]?.[1]).toEqual({ text: "code", isMarked: true });
  });

  it("aren't marked in a line that was rewritten", () => {
    expect(isRewritten(diffWordsWithSpace("alpha beta gamma", "delta epsilon"))).toBe(true);
    expect(isRewritten(diffWordsWithSpace("Cite the law.", "Cite the code."))).toBe(false);
  });
});
