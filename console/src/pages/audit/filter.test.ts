import { describe, expect, it } from "vitest";
import { actionsOf, beginningOf, choiceOf, csvAddress, dayOf, excerptAddress, filterOf, isFiltered } from "./filter";
import { auditSearch } from "./search";

describe("the audit's address", () => {
  it("leaves out what it doesn't know", () => {
    const search = auditSearch({ actions: ["VERSION_PUBLISHED", "<b>"], kind: "NOBODY", revision: "12x", since: "" });
    expect(search.actions).toEqual(["VERSION_PUBLISHED"]);
    expect(search.kind).toBeUndefined();
    expect(search.revision).toBeUndefined();
    expect(isFiltered(search)).toBe(true);
    expect(isFiltered(auditSearch({ revision: "12", entry: "12:1" }))).toBe(false);
  });

  it("takes one action as well as several", () => {
    expect(auditSearch({ actions: "AGENT_CREATED" }).actions).toEqual(["AGENT_CREATED"]);
    expect(auditSearch({ actions: "" }).actions).toBeUndefined();
  });
});

describe("days", () => {
  it("begin where the reader is", () => {
    expect(beginningOf("2026-11-29", "UTC")).toBe("2026-11-29T00:00:00.000Z");
    expect(beginningOf("2026-11-29", "Europe/Berlin")).toBe("2026-11-28T23:00:00.000Z");
    expect(beginningOf("2026-11-29", "America/New_York")).toBe("2026-11-29T05:00:00.000Z");
    expect(beginningOf("2026-11-29", "Asia/Kolkata")).toBe("2026-11-28T18:30:00.000Z");
  });

  it("have 23 or 25 hours when the clocks change", () => {
    const hours = (day: string) => (Date.parse(beginningOf(day, "Europe/Berlin", 1)) - Date.parse(beginningOf(day, "Europe/Berlin"))) / 3_600_000;
    expect([hours("2026-03-29"), hours("2026-10-25"), hours("2026-10-26")]).toEqual([23, 25, 24]);
  });

  it("count as a whole, the last one too", () => {
    const filter = filterOf({ since: "2026-11-01", until: "2026-11-30" }, "UTC");
    expect(filter).toEqual({ since: "2026-11-01T00:00:00.000Z", until: "2026-12-01T00:00:00.000Z" });
  });

  it("may be instants, and nonsense filters nothing", () => {
    expect(filterOf({ since: "2026-11-01T12:30:00Z", until: "soon" }, "Europe/Berlin")).toEqual({ since: "2026-11-01T12:30:00.000Z" });
    expect(dayOf("2026-11-01T23:30:00Z", "Europe/Berlin")).toBe("2026-11-02");
    expect(dayOf("2026-11-01", "Europe/Berlin")).toBe("2026-11-01");
    expect(dayOf("soon", "UTC")).toBeUndefined();
  });
});

describe("downloads", () => {
  it("have the filter of the list", () => {
    const filter = filterOf({ actions: ["API_KEY_CREATED", "API_KEY_REVOKED"], kind: "USER", actor: "u 1", agent: "a&b", since: "2026-11-01" }, "UTC");
    const address = new URL(csvAddress("c1", filter), "http://localhost");
    expect(address.pathname).toBe("/console/download/customers/c1/audit.csv");
    expect(address.searchParams.get("actions")).toBe("API_KEY_CREATED,API_KEY_REVOKED");
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      actor_kind: "USER",
      actor_id: "u 1",
      agent_id: "a&b",
      since: "2026-11-01T00:00:00.000Z",
    });
    expect(address.searchParams.has("until")).toBe(false);
  });

  it("have no more than the customer without one", () => {
    expect(csvAddress("c1", {})).toBe("/console/download/customers/c1/audit.csv");
    expect(excerptAddress("c1")).toBe("/console/download/customers/c1/audit");
  });
});

describe("kinds of changes", () => {
  it("are a group, one action, or another list", () => {
    expect(choiceOf(undefined)).toBe("");
    expect(choiceOf(["AGENT_DEACTIVATED", "AGENT_ACTIVATED"])).toBe("serving");
    expect(choiceOf(["VERSION_PUBLISHED"])).toBe("versions");
    expect(choiceOf(["AGENT_CREATED"])).toBe("AGENT_CREATED");
    expect(choiceOf(["AGENT_CREATED", "API_KEY_CREATED"])).toBe("other");
    expect(actionsOf("keys")).toEqual(["API_KEY_CREATED", "API_KEY_ROTATED", "API_KEY_REVOKED"]);
    expect(actionsOf("CUSTOMER_ERASED")).toEqual(["CUSTOMER_ERASED"]);
    expect(actionsOf(undefined)).toBeUndefined();
  });
});
