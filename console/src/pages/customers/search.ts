import { oneOf, text, type RawSearch } from "~/search";

/** The list of customers: its filters and its order. */
export interface CustomersSearch {
  q?: string;
  plan?: "FREE" | "PRO" | "ENTERPRISE";
  status?: "TRIALING" | "ACTIVE" | "PAST_DUE" | "SUSPENDED" | "CANCELED";
  order?: "NAME" | "CREATED_AT" | "LAST_ACTIVITY_AT";
  direction?: "ASC" | "DESC";
}

export function customersSearch(raw: RawSearch): CustomersSearch {
  return {
    q: text(raw["q"]),
    plan: oneOf(raw["plan"], ["FREE", "PRO", "ENTERPRISE"]),
    status: oneOf(raw["status"], ["TRIALING", "ACTIVE", "PAST_DUE", "SUSPENDED", "CANCELED"]),
    order: oneOf(raw["order"], ["NAME", "CREATED_AT", "LAST_ACTIVITY_AT"]),
    direction: oneOf(raw["direction"], ["ASC", "DESC"]),
  };
}
