import { describe, expect, it } from "vitest";
import { customerFilter, customerOrder, isName, whyNotErase, whyNotResume, whyNotStatus } from "./billing";
import { customersSearch } from "./search";

describe("billing", () => {
  it("ends with CANCELED", () => {
    expect(whyNotStatus("ACTIVE", "SUSPENDED")).toBeNull();
    expect(whyNotStatus("SUSPENDED", "CANCELED")).toBeNull();
    expect(whyNotStatus("CANCELED", "ACTIVE")).toMatch(/for good/);
    expect(whyNotStatus("ACTIVE", "TRIALING")).toMatch(/beginning/);
    expect(whyNotResume("SUSPENDED")).toBeNull();
    expect(whyNotResume("ACTIVE")).toMatch(/isn’t suspended/);
  });

  it("comes before erasing", () => {
    expect(whyNotErase("ACTIVE", null)).toBe("Cancel it first");
    expect(whyNotErase("CANCELED", null)).toBeNull();
    expect(whyNotErase("CANCELED", "2026-01-01T00:00:00Z")).toMatch(/already/);
  });
});

describe("the typed name", () => {
  it("is the whole name", () => {
    expect(isName(" City of Springfield ", "City of Springfield")).toBe(true);
    expect(isName("city of springfield", "City of Springfield")).toBe(false);
    expect(isName("", "")).toBe(false);
    expect(isName("Zu\u0308rich", "Z\u00fcrich")).toBe(true);
  });
});

describe("the list's address", () => {
  it("becomes the service's filter and order", () => {
    const search = customersSearch({ q: "spring", plan: "PRO", status: "GOLD", order: "LAST_ACTIVITY_AT", direction: "DESC" });
    expect(customerFilter(search)).toEqual({ nameContains: "spring", plans: ["PRO"] });
    expect(customerOrder(search)).toEqual({ field: "LAST_ACTIVITY_AT", direction: "DESC" });
    expect(customerOrder({})).toEqual({ field: "NAME", direction: "ASC" });
    expect(customerFilter({})).toEqual({});
  });
});
