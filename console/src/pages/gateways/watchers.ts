import type { WatchersQuery } from "~/__generated__/graphql";
import type { GatewaysSearch } from "./search";

export type Watcher = WatchersQuery["watchers"]["nodes"][number];

/** The watchers that an address asks for; those that are behind first, then by name. */
export function shownWatchers<Item extends Pick<Watcher, "watched" | "behind" | "name" | "since">>(watchers: readonly Item[], { watched }: Pick<GatewaysSearch, "watched">): Item[] {
  return watchers
    .filter((one) => !watched || one.watched === watched)
    .sort((one, other) => other.behind - one.behind || one.name.localeCompare(other.name) || (one.since < other.since ? -1 : 1));
}
