import { flag, oneOf, text, type RawSearch } from "~/search";

const WATCHED = ["CONFIGS", "ACTIVATIONS", "CHANGES", "CUSTOMER_EVENTS"] as const;

/** The filters of the watchers. */
export interface GatewaysSearch {
  environment?: string;
  watched?: (typeof WATCHED)[number];
  behind?: true;
}

export function gatewaysSearch(raw: RawSearch): GatewaysSearch {
  return { environment: text(raw["environment"]), watched: oneOf(raw["watched"], WATCHED), behind: flag(raw["behind"]) };
}
