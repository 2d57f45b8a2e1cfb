// Where menus and tooltips are drawn: inside the open dialog, since a dialog covers everything outside of it.
import { createContext, useContext } from "react";

export const PortalContext = createContext<HTMLElement | null>(null);

/** The container for a Radix portal. */
export function usePortal(): HTMLElement | undefined {
  return useContext(PortalContext) ?? undefined;
}
