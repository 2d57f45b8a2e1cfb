import { describe, expect, it } from "vitest";
import { scopeOf, type FrameCustomer } from "./scope";

const customer: FrameCustomer = {
  id: "c",
  name: "City of Springfield",
  erasedAt: null,
  viewerPermissions: ["READ_AGENTS", "PUBLISH_VERSIONS"],
  billing: { status: "ACTIVE" },
  environments: [],
};

describe("the customer's scope", () => {
  it("lets through what `viewerPermissions` names, and says who may do the rest", () => {
    const scope = scopeOf(customer);
    expect(scope.why("PUBLISH_VERSIONS")).toBeNull();
    expect(scope.why("ACTIVATE_VERSIONS")).toBe("Needs an editor");
    expect(scope.why("MANAGE_KEYS")).toBe("Needs an admin");
    expect(scope.why("MANAGE_BILLING")).toBe("Needs an operator");
  });

  it("names the suspension before the role", () => {
    const scope = scopeOf({ ...customer, viewerPermissions: ["READ_AGENTS"], billing: { status: "SUSPENDED" } });
    expect(scope.why("PUBLISH_VERSIONS")).toBe("City of Springfield is suspended");
    expect(scope.may("READ_AGENTS")).toBe(true);
  });
});
