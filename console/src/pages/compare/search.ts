import { oneOf, whole, type RawSearch } from "~/search";

/** The two versions, and how their prompts stand. */
export interface CompareSearch {
  from?: number;
  to?: number;
  layout?: "inline" | "sides";
}

export function compareSearch(raw: RawSearch): CompareSearch {
  return { from: whole(raw["from"]), to: whole(raw["to"]), layout: oneOf(raw["layout"], ["inline", "sides"]) };
}
