// Finds the words that differ, off the page's thread.
import { diffWordsWithSpace } from "diff";
import { isRewritten, partsOf, type Part } from "./rows";

/** Pairs of texts of which the second replaced the first. */
export interface WordsRequest {
  id: number;
  pairs: [old: string, now: string][];
}

/** For each pair the parts of each line of both sides; null where a text was rewritten as a whole. */
export interface WordsAnswer {
  id: number;
  parts: ([old: Part[][], now: Part[][]] | null)[];
}

self.addEventListener("message", ({ data }: MessageEvent<WordsRequest>) => {
  const parts = data.pairs.map(([old, now]): [Part[][], Part[][]] | null => {
    const changes = diffWordsWithSpace(old, now, { timeout: 300 });
    if (!changes || isRewritten(changes)) return null;
    return [partsOf(changes, "old"), partsOf(changes, "new")];
  });
  self.postMessage({ id: data.id, parts } satisfies WordsAnswer);
});
