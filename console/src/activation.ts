// How a page opens the dialog that changes what serves. The dialog itself is `pages/activate/ActivateDialog`.
import { useSyncExternalStore } from "react";

/** What the dialog is asked to do. */
export interface ActivationTarget {
  kind: "activate" | "rollback" | "promote" | "deactivate";
  agentId: string;
  /** The environment whose serving changes. */
  environment: string;
  /** The version to serve; left out for a rollback to its target, and for a deactivation. */
  versionId?: string;
  /** With `promote`: where the version comes from. */
  fromEnvironment?: string;
}

let target: ActivationTarget | null = null;
const listeners = new Set<() => void>();

function set(next: ActivationTarget | null): void {
  target = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Opens the dialog. */
export function openActivation(next: ActivationTarget): void {
  set(next);
}

export function closeActivation(): void {
  set(null);
}

export function useActivationTarget(): ActivationTarget | null {
  return useSyncExternalStore(subscribe, () => target);
}
