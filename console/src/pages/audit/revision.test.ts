import { describe, expect, it } from "vitest";
import { entriesOf } from "./revision";

describe("the entries of a commit", () => {
  it("are all of one revision, and end with the next one", () => {
    const first = { revision: "7", position: 1 };
    const second = { revision: "7", position: 2 };
    expect(entriesOf("7", [first, second])).toEqual({ entries: [first, second], isDone: false });
    expect(entriesOf("7", [first, { revision: "8", position: 1 }])).toEqual({ entries: [first], isDone: true });
  });

  it("are absent when the commit was about another customer", () => {
    expect(entriesOf("7", [{ revision: "9" }])).toEqual({ entries: [], isDone: true });
  });
});
