// The places of the frame: sidebar, palette and keys show the same ones.
import type { LinkProps } from "@tanstack/react-router";
import type { IconName } from "~/ui/Icon";
import type { CustomerScope, Viewer } from "./scope";

export interface Place {
  label: string;
  icon: IconName;
  to: LinkProps;
  /** Only the very same address counts as here. */
  isExact?: boolean;
  /** The letter after `g`. */
  letter?: string;
}

/** A customer's pages. */
export function customerPlaces(customer: string): Place[] {
  const params = { customer };
  return [
    { label: "Overview", icon: "overview", to: { to: "/c/$customer", params }, isExact: true, letter: "o" },
    { label: "Agents", icon: "agent", to: { to: "/c/$customer/agents", params }, letter: "a" },
    { label: "Audit", icon: "audit", to: { to: "/c/$customer/audit", params }, letter: "u" },
    { label: "People", icon: "people", to: { to: "/c/$customer/people", params }, letter: "p" },
    { label: "Keys", icon: "key", to: { to: "/c/$customer/keys", params }, letter: "k" },
    { label: "Environments", icon: "environment", to: { to: "/c/$customer/environments", params }, letter: "e" },
  ];
}

/** Pages of one's own. */
export const OWN_PLACES: Place[] = [{ label: "Settings", icon: "settings", to: { to: "/settings" }, letter: "s" }];

/** The platform's pages, for operators. */
export const PLATFORM_PLACES: Place[] = [
  { label: "Customers", icon: "customer", to: { to: "/platform/customers" } },
  { label: "Gateways", icon: "gateway", to: { to: "/platform/gateways" } },
  { label: "Service tokens", icon: "token", to: { to: "/platform/service-tokens" } },
  { label: "Operators", icon: "operator", to: { to: "/platform/operators" } },
  { label: "Instance", icon: "instance", to: { to: "/platform/instance" } },
];

/** Every page that the reader can go to from here. */
export function placesOf(viewer: Viewer, customer: CustomerScope | null): Place[] {
  return [...(customer ? customerPlaces(customer.id) : []), ...OWN_PLACES, ...(viewer.isOperator ? PLATFORM_PLACES : [])];
}
