// What may follow a billing status, and why the rest may not.
import type { BillingStatus, CustomerFilter, CustomerOrder } from "~/__generated__/graphql";
import type { CustomersSearch } from "./search";

/** Why a customer can't get this status; null if it can. CANCELED is the end, and TRIALING only the beginning. */
export function whyNotStatus(now: BillingStatus, next: BillingStatus): string | null {
  if (now === next) return "It has this status already";
  if (now === "CANCELED") return "It is canceled, which is for good";
  if (next === "TRIALING") return "A trial is only at the beginning";
  return null;
}

/** Why a customer can't be resumed. */
export function whyNotResume(now: BillingStatus): string | null {
  if (now === "CANCELED") return "It is canceled, which is for good";
  return now === "SUSPENDED" ? null : "It isn’t suspended";
}

/** Why a customer's data can't be erased. */
export function whyNotErase(now: BillingStatus, erasedAt: string | null | undefined): string | null {
  if (erasedAt) return "It is erased already";
  return now === "CANCELED" ? null : "Cancel it first";
}

/** Whether what was typed is the customer's name, but for spaces around it. */
export function isName(typed: string, name: string): boolean {
  return typed.trim() !== "" && typed.trim().normalize("NFC") === name.trim().normalize("NFC");
}

/** The service's filter of an address. */
export function customerFilter({ q, plan, status }: CustomersSearch): CustomerFilter {
  return { ...(q ? { nameContains: q } : {}), ...(plan ? { plans: [plan] } : {}), ...(status ? { billingStatuses: [status] } : {}) };
}

/** The service's order of an address; by name when it names none. */
export function customerOrder({ order, direction }: CustomersSearch): CustomerOrder {
  return { field: order ?? "NAME", direction: direction ?? "ASC" };
}
