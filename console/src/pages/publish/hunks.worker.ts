// Compares two prompts off the page's thread.
import type { Hunk } from "~/ui/diff/rows";
import { hunksOf } from "./hunks";

export interface HunksRequest {
  id: number;
  before: string;
  after: string;
}

export interface HunksAnswer {
  id: number;
  hunks: Hunk[] | null;
}

self.addEventListener("message", ({ data: { id, before, after } }: MessageEvent<HunksRequest>) => {
  self.postMessage({ id, hunks: hunksOf(before, after) } satisfies HunksAnswer);
});
