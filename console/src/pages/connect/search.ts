import { text, type RawSearch } from "~/search";

/** The environment that the new gateway serves. */
export interface ConnectSearch {
  environment?: string;
}

export function connectSearch(raw: RawSearch): ConnectSearch {
  return { environment: text(raw["environment"]) };
}
