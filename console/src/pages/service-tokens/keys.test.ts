import { expect, it } from "vitest";
import { keysOf } from "./keys";

it("keys of environments are read as they are typed", () => {
  expect(keysOf("production, staging\nstaging")).toEqual(["production", "staging"]);
  expect(keysOf("  \n ")).toEqual([]);
});
