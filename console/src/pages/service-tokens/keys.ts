/** The environments' keys of a field: one a line, or between commas. They are the same for every customer. */
export function keysOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}
