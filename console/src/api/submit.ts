// Writes. Each has an idempotency key; an unsure outcome is asked for again with the same key, which does nothing twice.
import { useCallback, useRef, useState } from "react";
import type { TypedDocumentString } from "~/__generated__/graphql";
import { RequestError } from "./errors";
import { newIdempotencyKey, refetch, request } from "./query";
import type { Topic } from "./topics";

/** What every payload has. */
export interface Payload {
  userErrors: readonly { code: string; message: string; field?: string | null; path?: readonly string[] | null }[];
}

export interface SubmitState {
  /** The write is on its way. */
  isBusy: boolean;
  /** A try had no answer, so it isn't known whether it was done; it is being repeated, or `failure` says that it ended. */
  isUnsure: boolean;
  /** Why nothing was changed, as the payload says it. */
  errors: Payload["userErrors"];
  /** Why there is no payload. */
  failure: Error | null;
}

const IDLE: SubmitState = { isBusy: false, isUnsure: false, errors: [], failure: null };
/** Milliseconds before each repetition of an unsure write. */
const REPEATS = [1000, 3000, 8000];

/** Repeats `send` while its outcome is unsure. Every repetition sends the same key. */
export async function sendUntilSure<Data>(
  send: () => Promise<Data>,
  onUnsure: () => void,
  waits: readonly number[] = REPEATS,
  wait = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time)),
): Promise<Data> {
  for (const time of waits) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof RequestError && error.isUnsure)) throw error;
      onUnsure();
      await wait(time);
    }
  }
  return send();
}

type Writing<Data, Input> = TypedDocumentString<Data, { input: Input }>;

export interface Submission<Input, Result> extends SubmitState {
  /** Sends the input. Resolves to the payload, or to null if nothing was changed or it isn't known. */
  submit: (input: Omit<Input, "idempotencyKey">) => Promise<Result | null>;
  reset: () => void;
}

/** A mutation with one `input`. `topics` are refetched when it is done. */
export function useSubmit<Data, Input, Result extends Payload>(
  document: Writing<Data, Input>,
  payloadOf: (data: Data) => Result,
  topics: readonly Topic[] = [],
): Submission<Input, Result> {
  const [state, setState] = useState<SubmitState>(IDLE);
  // The key of a write whose outcome isn't known, with the input that it belongs to.
  const pending = useRef<{ text: string; key: string } | null>(null);
  const submit = async (input: Omit<Input, "idempotencyKey">) => {
    const text = JSON.stringify(input);
    if (pending.current?.text !== text) pending.current = { text, key: newIdempotencyKey() };
    const { key } = pending.current;
    setState({ ...IDLE, isBusy: true });
    try {
      const data = await sendUntilSure(
        () => request(document, { input: { ...input, idempotencyKey: key } as Input }, { timeout: 30_000 }),
        () => setState({ ...IDLE, isBusy: true, isUnsure: true }),
      );
      pending.current = null;
      const payload = payloadOf(data);
      setState({ ...IDLE, errors: payload.userErrors });
      // After a refusal too: what is on the screen may be older than what refused it.
      refetch(topics);
      return payload.userErrors.length > 0 ? null : payload;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const isUnsure = failure instanceof RequestError && failure.isUnsure;
      if (!isUnsure) pending.current = null;
      setState({ ...IDLE, isUnsure, failure });
      return null;
    }
  };
  const reset = useCallback(() => setState(IDLE), []);
  return { ...state, submit, reset };
}
