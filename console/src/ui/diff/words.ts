// Asks the worker for the words that differ.
import type { Part } from "./rows";
import type { WordsAnswer, WordsRequest } from "./words.worker";

let worker: Worker | null = null;
let last = 0;
const waiting = new Map<number, (parts: WordsAnswer["parts"]) => void>();

function start(): Worker {
  const started = new Worker(new URL("./words.worker.ts", import.meta.url), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<WordsAnswer>) => {
    waiting.get(data.id)?.(data.parts);
    waiting.delete(data.id);
  });
  return started;
}

/** The parts of the lines of each pair. */
export function differentWords(pairs: WordsRequest["pairs"]): Promise<([old: Part[][], now: Part[][]] | null)[]> {
  worker ??= start();
  last += 1;
  const id = last;
  const answer = new Promise<WordsAnswer["parts"]>((resolve) => waiting.set(id, resolve));
  worker.postMessage({ id, pairs } satisfies WordsRequest);
  return answer;
}
