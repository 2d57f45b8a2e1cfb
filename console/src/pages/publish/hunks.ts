// The lines that differ between two prompts, in the shape of the service's hunks.
import { structuredPatch } from "diff";
import type { Hunk, Line } from "~/ui/diff/rows";

const KINDS: Record<string, Line["kind"]> = { " ": "CONTEXT", "+": "ADDED", "-": "REMOVED" };

/** The hunks between two texts; null if it takes too long. */
export function hunksOf(before: string, after: string): Hunk[] | null {
  if (before === after) return [];
  const patch = structuredPatch("", "", before, after, "", "", { context: 3, timeout: 2000 });
  if (!patch) return null;
  return patch.hunks.map(({ oldStart, newStart, lines }) => ({
    oldStart,
    newStart,
    // "\ No newline at end of file" isn't a line of either text.
    lines: lines.flatMap((line): Line[] => {
      const kind = KINDS[line.charAt(0)];
      return kind ? [{ kind, text: line.slice(1) }] : [];
    }),
  }));
}
