import type { WatchersQuery } from "~/__generated__/graphql";
import type { GatewaysSearch } from "./search";

export type Watcher = WatchersQuery["watchers"]["nodes"][number];

/** The watchers that an address asks for; those that are behind first, then by name. */
export function shownWatchers<Item extends Pick<Watcher, "environmentKey" | "watched" | "behind" | "name" | "since">>(watchers: readonly Item[], { environment, watched, behind }: GatewaysSearch): Item[] {
  return watchers
    .filter((one) => (!environment || one.environmentKey === environment) && (!watched || one.watched === watched) && (!behind || one.behind > 0))
    .sort((one, other) => other.behind - one.behind || one.name.localeCompare(other.name) || (one.since < other.since ? -1 : 1));
}

/** The environments that are watched, `production` first. */
export function environmentsOf(watchers: readonly Pick<Watcher, "environmentKey">[]): string[] {
  const keys = [...new Set(watchers.flatMap(({ environmentKey }) => environmentKey ?? []))];
  return keys.sort((one, other) => Number(other === "production") - Number(one === "production") || one.localeCompare(other));
}
