import { describe, expect, it } from "vitest";
import { agentsSearch, firstDirection, isFiltered, requestOf } from "./search";

describe("the address of the list", () => {
  it("lists agents that aren't archived by name", () => {
    expect(requestOf({})).toEqual({ environment: null, filter: { archived: false }, order: { field: "NAME", direction: "ASC" } });
  });

  it("becomes the request's filters", () => {
    const search = agentsSearch({ q: 42, model: "gpt-4-turbo", serving: "no", behind: "true", order: "LAST_ACTIVATED_AT", direction: "DESC", environment: "staging" });
    expect(requestOf(search)).toEqual({
      environment: "staging",
      filter: { archived: false, nameContains: "42", modelNames: ["gpt-4-turbo"], serving: false, servesLatest: false },
      order: { field: "LAST_ACTIVATED_AT", direction: "DESC" },
    });
  });

  it("leaves out what it doesn't understand", () => {
    expect(agentsSearch({ serving: "perhaps", order: "DROP TABLE", behind: 0, q: "" })).toEqual({});
  });

  it("isn't filtered by its order", () => {
    expect(isFiltered({ order: "NAME", environment: "staging" })).toBe(false);
    expect(isFiltered({ archived: true })).toBe(true);
  });

  it("shows the newest first where a column is a time", () => {
    expect(firstDirection("LAST_ACTIVATED_AT")).toBe("DESC");
    expect(firstDirection("MODEL_NAME")).toBe("ASC");
  });
});
