import { flag, type RawSearch } from "~/search";

/** Whether the three doors are shown though there are customers. */
export interface HomeSearch {
  doors?: true;
}

export function homeSearch(raw: RawSearch): HomeSearch {
  return { doors: flag(raw["doors"]) };
}
