import { describe, expect, it } from "vitest";
import { gatewaysSearch } from "./search";
import { environmentsOf, shownWatchers } from "./watchers";

const watcher = (name: string, behind: number, environmentKey: string | null = "production", watched: "CONFIGS" | "CHANGES" = "CONFIGS") => ({ name, behind, environmentKey, watched, since: "2026-11-29T12:00:00Z" });

describe("the watchers", () => {
  const all = [watcher("b", 0), watcher("a", 0, "staging"), watcher("c", 3), watcher("d", 0, null, "CHANGES")];

  it("that are behind stand first", () => {
    expect(shownWatchers(all, {}).map(({ name }) => name)).toEqual(["c", "a", "b", "d"]);
  });

  it("are filtered by the address", () => {
    const search = gatewaysSearch({ environment: "production", watched: "CONFIGS", behind: "true", state: "LIVE" });
    expect(shownWatchers(all, search).map(({ name }) => name)).toEqual(["c"]);
    expect(shownWatchers(all, gatewaysSearch({ watched: "CHANGES" })).map(({ name }) => name)).toEqual(["d"]);
    expect(gatewaysSearch({ watched: "DREAMS" }).watched).toBeUndefined();
  });

  it("name their environments, production first", () => {
    expect(environmentsOf([watcher("x", 0, "staging"), watcher("y", 0, "dev"), watcher("z", 0), watcher("w", 0, null)])).toEqual(["production", "dev", "staging"]);
  });
});
