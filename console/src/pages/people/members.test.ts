import { describe, expect, it } from "vitest";
import { memberName, whyStaysAdmin } from "./members";

const member = (id: string, role: "ADMIN" | "EDITOR") => ({ role, user: { id } });

describe("the last admin", () => {
  const ada = member("ada", "ADMIN");
  const ben = member("ben", "EDITOR");
  it("stays one, and sees why", () => {
    expect(whyStaysAdmin(ada, [ada, ben], true)).toMatch(/only admin/);
    expect(whyStaysAdmin(ben, [ada, ben], true)).toBeNull();
  });

  it("may go when there is another", () => {
    expect(whyStaysAdmin(ada, [ada, member("cy", "ADMIN")], true)).toBeNull();
  });

  it("is left to the service while the list isn't whole", () => {
    expect(whyStaysAdmin(ada, [ada], false)).toBeNull();
  });
});

describe("a member's name", () => {
  it("is never a bare id", () => {
    const id = "0192a7c4-1111-7222-8333-abcdefabcdef";
    expect(memberName({ user: { id, name: "Ada Lee" }, email: "a@b.example" })).toBe("Ada Lee");
    expect(memberName({ user: { id, name: null }, email: "a@b.example" })).toBe("a@b.example");
    expect(memberName({ user: { id, name: null, identities: [{ subject: "cy" }] }, email: null })).toBe("cy");
    expect(memberName({ user: { id, name: null }, email: null })).toBe("Person …abcdef");
  });
});
