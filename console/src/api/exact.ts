// JSON whose numbers keep their text: `0.70` stays `0.70`, and large integers stay whole. What is published has the
// numbers that were typed, and what is started from has those that were published.

/** A number as it was written, where the browser knows such (ES2025); `JSON.stringify` writes its text. */
interface WithRawNumbers {
  rawJSON?: (text: string) => object;
  isRawJSON?: (value: unknown) => value is { rawJSON: string };
}

const raw = JSON as unknown as WithRawNumbers;

/** Reads JSON. A number that a browser would write in another way is kept as its text. */
export function parseExact(text: string): unknown {
  const { rawJSON } = raw;
  if (!rawJSON) return JSON.parse(text) as unknown;
  const keep = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    return typeof value === "number" && source !== undefined && String(value) !== source ? rawJSON(source) : value;
  };
  return JSON.parse(text, keep as Parameters<typeof JSON.parse>[1]) as unknown;
}

/** The text of a number that was read by `parseExact`; null for every other value. */
export function numberText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return raw.isRawJSON?.(value) ? value.rawJSON : null;
}

/** A number with its text; null if the text isn't a JSON number. */
export function exactNumber(text: string): unknown {
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? parseExact(text) : null;
}
