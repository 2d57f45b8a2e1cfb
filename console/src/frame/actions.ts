// The actions of the page that is looked at: its buttons, the palette's entries and its keys are the same list.
import { useEffect, useSyncExternalStore } from "react";
import type { IconName } from "~/ui/Icon";

export interface Action {
  /** The button's words. */
  label: string;
  onSelect: () => void;
  icon?: IconName;
  kind?: "plain" | "filled" | "production" | "danger" | "quiet";
  /** Why it does nothing now. */
  reason?: string | null;
  /** A key that does it, outside of fields: `n`. */
  shortcut?: string;
  /** Only in the palette and in the page's "⋯" menu. */
  inMenu?: boolean;
}

let current: readonly Action[] = [];
const listeners = new Set<() => void>();

function set(actions: readonly Action[]): void {
  current = actions;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The actions of the present page. */
export function pageActions(): readonly Action[] {
  return current;
}

export function usePageActions(): readonly Action[] {
  return useSyncExternalStore(subscribe, pageActions);
}

/** Registers a page's actions while it is shown. */
export function useRegisteredActions(actions: readonly Action[]): void {
  useEffect(() => {
    set(actions);
  }, [actions]);
  useEffect(() => () => set([]), []);
}
