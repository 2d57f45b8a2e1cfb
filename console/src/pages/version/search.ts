import { oneOf, type RawSearch } from "~/search";

export const VERSION_TABS = ["prompt", "tools", "settings", "details"] as const;

export interface VersionSearch {
  tab?: (typeof VERSION_TABS)[number];
}

export function versionSearch(raw: RawSearch): VersionSearch {
  return { tab: oneOf(raw["tab"], VERSION_TABS) };
}
