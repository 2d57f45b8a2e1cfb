// What every page may ask: who looks, which customer, and what may be done there.
import { createContext, useContext } from "react";
import type { FrameQuery, Permission } from "~/__generated__/graphql";
import { needs } from "~/words";

export type Viewer = FrameQuery["viewer"];
export type FrameCustomer = NonNullable<FrameQuery["customer"]>;
export type FrameEnvironment = FrameCustomer["environments"][number];

/** The customer of the address, with what the reader may do there. */
export interface CustomerScope extends FrameCustomer {
  /** Whether the reader has a right here now. */
  may: (permission: Permission) => boolean;
  /** Why the reader can't do this now, for a disabled button; null if nothing is in the way. */
  why: (permission: Permission) => string | null;
}

export const ViewerContext = createContext<Viewer | null>(null);
export const CustomerContext = createContext<CustomerScope | null>(null);

/** Who looks. Every page inside of the frame has one. */
export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext);
  if (!viewer) throw new Error("this page is outside of the frame");
  return viewer;
}

/** The customer of the address, on pages below `/c/`. */
export function useCustomer(): CustomerScope {
  const customer = useContext(CustomerContext);
  if (!customer) throw new Error("this page is not of a customer");
  return customer;
}

/** The reason of a disabled button for a right of the platform; null if the viewer has it. */
export function whyNotPlatform(viewer: Viewer, permission: Permission): string | null {
  return viewer.platformPermissions.includes(permission) ? null : needs(permission);
}

const STATUS_REASONS: Partial<Record<string, string>> = { SUSPENDED: "is suspended", CANCELED: "is canceled" };

/** The scope of a customer: its `viewerPermissions` decide, and nothing is guessed. */
export function scopeOf(customer: FrameCustomer): CustomerScope {
  const rights = new Set<Permission>(customer.viewerPermissions);
  const status = customer.billing && STATUS_REASONS[customer.billing.status];
  return {
    ...customer,
    may: (permission) => rights.has(permission),
    why: (permission) => {
      if (rights.has(permission)) return null;
      return status ? `${customer.name} ${status}` : needs(permission);
    },
  };
}
