import { useSyncExternalStore } from "react";
import { absolute, relative } from "~/time";
import { Tooltip } from "./Tooltip";

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present, to the next ten seconds: components that use it render anew by themselves. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** The present, but never a few seconds before a time that has just come from the service. */
function nearest(at: string, present: number): number {
  const ahead = new Date(at).getTime() - present;
  return ahead > 0 && ahead < 15_000 ? present + ahead : present;
}

/** A time as people say it, with the whole time in a tooltip. `exact` shows the whole time. */
export function Time({ at, exact }: { at: string; exact?: boolean }) {
  const present = useNow();
  if (exact) return <time dateTime={at}>{absolute(at)}</time>;
  return (
    <Tooltip text={absolute(at)}>
      <time dateTime={at} className="number">
        {relative(at, nearest(at, present))}
      </time>
    </Tooltip>
  );
}
