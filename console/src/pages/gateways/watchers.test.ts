import { describe, expect, it } from "vitest";
import { gatewaysSearch } from "./search";
import { shownWatchers } from "./watchers";

const watcher = (name: string, behind: number, watched: "CONFIGS" | "CHANGES" = "CONFIGS") => ({ name, behind, watched, since: "2026-11-29T12:00:00Z" });

describe("the watchers", () => {
  const all = [watcher("b", 0), watcher("a", 0), watcher("c", 3), watcher("d", 0, "CHANGES")];

  it("that are behind stand first", () => {
    expect(shownWatchers(all, {}).map(({ name }) => name)).toEqual(["c", "a", "b", "d"]);
  });

  it("are filtered by the address", () => {
    const search = gatewaysSearch({ environment: "production", watched: "CONFIGS", behind: "true", state: "LIVE" });
    expect(shownWatchers(all, search).map(({ name }) => name)).toEqual(["c", "a", "b"]);
    expect(shownWatchers(all, gatewaysSearch({ watched: "CHANGES" })).map(({ name }) => name)).toEqual(["d"]);
    expect(gatewaysSearch({ watched: "DREAMS" }).watched).toBeUndefined();
  });
});
