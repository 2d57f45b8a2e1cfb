import { useEffect, useRef, useState } from "react";
import type { Hunk } from "~/ui/diff/rows";
import type { HunksAnswer, HunksRequest } from "./hunks.worker";

/** The lines that differ, found by a worker; undefined until it has answered, null if it gave up. Not asked while `isWanted` is false. */
export function useHunks(before: string, after: string, isWanted: boolean): readonly Hunk[] | null | undefined {
  const [answer, setAnswer] = useState<{ before: string; hunks: Hunk[] | null } | null>(null);
  const worker = useRef<Worker | null>(null);
  const id = useRef(0);
  useEffect(() => () => {
    worker.current?.terminate();
    worker.current = null;
  }, []);
  useEffect(() => {
    if (!isWanted || before === after) return;
    worker.current ??= new Worker(new URL("./hunks.worker.ts", import.meta.url), { type: "module" });
    const started = worker.current;
    id.current += 1;
    const own = id.current;
    const heard = ({ data }: MessageEvent<HunksAnswer>) => {
      if (data.id === own) setAnswer({ before, hunks: data.hunks });
    };
    started.addEventListener("message", heard);
    started.postMessage({ id: own, before, after } satisfies HunksRequest);
    return () => started.removeEventListener("message", heard);
  }, [before, after, isWanted]);
  if (before === after) return [];
  return answer?.before === before ? answer.hunks : undefined;
}
