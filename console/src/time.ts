// Times for people: how long ago, and when exactly.

const STEPS: [limit: number, seconds: number, unit: string][] = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [86_400 * 60, 86_400, "d"],
  [86_400 * 700, 86_400 * 30.44, "months"],
  [Infinity, 86_400 * 365.25, "years"],
];

/** A duration in its largest fitting unit: "2 min", "3 d". */
export function duration(seconds: number): string {
  const length = Math.abs(seconds);
  const [, size, unit] = STEPS.find(([limit]) => length < limit) ?? [0, 1, "s"];
  const value = Math.floor(length / size);
  if (value === 1 && unit.endsWith("s") && unit.length > 1) return `1 ${unit.slice(0, -1)}`;
  return `${value} ${unit}`;
}

/** How long ago, or how far ahead, `at` is: "2 min ago", "in 6 d", "just now". */
export function relative(at: string | number | Date, now = Date.now()): string {
  const seconds = (now - new Date(at).getTime()) / 1000;
  if (Math.abs(seconds) < 5) return "just now";
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(seconds)}`;
}

/** The time zone that the reader has chosen in Settings; the browser's otherwise. */
export function timeZone(): string {
  const stored = typeof localStorage === "undefined" ? null : localStorage.getItem("time-zone");
  return stored ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The whole time: "29 November 2026, 14:02:11 CET". */
export function absolute(at: string | number | Date, zone = timeZone()): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long", timeZone: zone }).format(new Date(at));
}

/** A short time of the day: "14:02". */
export function clock(at: string | number | Date, zone = timeZone()): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(at));
}

/** A date: "3 Mar 2026". */
export function day(at: string | number | Date, zone = timeZone()): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: zone }).format(new Date(at));
}
