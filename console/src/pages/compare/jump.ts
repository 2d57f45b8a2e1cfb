// "Next change" by key: every difference on the page has `data-change`.

/** The place of the change to go to, after the one at `present` (-1 for none); the ends meet. */
export function nextPlace(present: number, step: 1 | -1, count: number): number {
  if (count === 0) return -1;
  if (present < 0) return step === 1 ? 0 : count - 1;
  return (present + step + count) % count;
}

/** Moves the focus to the next or previous change. */
export function jump(step: 1 | -1): void {
  const changes = [...document.querySelectorAll<HTMLElement>("main [data-change]")];
  const present = changes.findIndex((one) => one.contains(document.activeElement));
  const next = changes[nextPlace(present, step, changes.length)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "center" });
}
