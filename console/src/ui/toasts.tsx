// The one polite live region. It says what came of what the reader did.
import { useSyncExternalStore } from "react";
import { Icon } from "./Icon";
import styles from "./toasts.module.css";

interface Toast {
  id: number;
  words: string;
  tone: "plain" | "bad";
}

let shown: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function show(next: readonly Toast[]): void {
  shown = next;
  for (const listener of listeners) listener();
}

/** Shows a sentence for six seconds, and has it read out. Nothing that must be acted on is told this way. */
export function toast(words: string, tone: Toast["tone"] = "plain"): void {
  last += 1;
  const id = last;
  show([...shown.slice(-2), { id, words, tone }]);
  setTimeout(() => show(shown.filter((one) => one.id !== id)), 6000);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const toasts = useSyncExternalStore(subscribe, () => shown);
  return (
    <div className={styles["toasts"]} role="status" aria-live="polite">
      {toasts.map(({ id, words, tone }) => (
        <div key={id} className={styles["toast"]}>
          <Icon name={tone === "bad" ? "warn" : "check"} />
          {words}
        </div>
      ))}
    </div>
  );
}
