import { describe, expect, it } from "vitest";
import { ownAddress, signInSearch } from "./search";

describe("the address to go to after signing in", () => {
  it.each(["/", "/c/1/agents?q=a", "/settings#sessions"])("may be %s", (address) => {
    expect(ownAddress(address)).toBe(address);
  });

  it.each(["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "c/1", "/a\\b"])("may not be %s", (address) => {
    expect(signInSearch({ next: address }).next).toBeUndefined();
  });
});
