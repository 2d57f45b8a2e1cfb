import { oneOf, type RawSearch } from "~/search";

export interface PeopleSearch {
  tab?: "members" | "invitations";
}

export function peopleSearch(raw: RawSearch): PeopleSearch {
  return { tab: oneOf(raw["tab"], ["members", "invitations"]) };
}
