// Stacks series for bars: each one's top is the sum of its own value and of those below it.

/** The tops of each series, the last one on top of all. */
export function stack(series: readonly (readonly number[])[], length: number): number[][] {
  const below = new Array<number>(length).fill(0);
  return series.map((values) =>
    below.map((height, index) => {
      const top = height + (values[index] ?? 0);
      below[index] = top;
      return top;
    }),
  );
}

/** Every day from `first` on, `count` of them, as `2026-11-29`. */
export function daysFrom(first: string, count: number): string[] {
  const start = Date.parse(`${first}T00:00:00Z`);
  return Array.from({ length: count }, (_, index) => new Date(start + index * 86_400_000).toISOString().slice(0, 10));
}
