import { whole, type RawSearch } from "~/search";

/** The version to start from. */
export interface PublishSearch {
  from?: number;
}

export function publishSearch(raw: RawSearch): PublishSearch {
  return { from: whole(raw["from"]) };
}
