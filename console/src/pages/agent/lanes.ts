// What served when, as lanes: for each environment the stretches in which a version served.

export interface Step {
  activatedAt: string;
  environment: { key: string };
  version?: { number: number } | null;
}

/** A stretch of time in which one version served, or none. */
export interface Stretch {
  number: number | null;
  from: number;
  until: number;
}

export interface Lane {
  key: string;
  stretches: Stretch[];
}

/** The lanes of `keys` from the oldest step on. `steps` are newest first, as the service lists them. */
export function lanesOf(keys: readonly string[], steps: readonly Step[], now: number): { since: number; lanes: Lane[] } {
  const oldest = steps.at(-1);
  const since = oldest ? Date.parse(oldest.activatedAt) : now;
  const lanes = keys.map((key): Lane => {
    const stretches: Stretch[] = [];
    for (const { activatedAt, version } of steps.filter(({ environment }) => environment.key === key).reverse()) {
      const from = Date.parse(activatedAt);
      const last = stretches.at(-1);
      if (last) last.until = from;
      stretches.push({ number: version?.number ?? null, from, until: now });
    }
    return { key, stretches: stretches.filter(({ number }) => number !== null) };
  });
  return { since, lanes };
}

/** Where a stretch stands between `since` and `now`, in percent. A short one stays visible. */
export function placeOf({ from, until }: Stretch, since: number, now: number): { left: number; width: number } {
  const all = Math.max(now - since, 1);
  const left = ((from - since) / all) * 100;
  return { left, width: Math.max(((until - from) / all) * 100, 0.4) };
}
