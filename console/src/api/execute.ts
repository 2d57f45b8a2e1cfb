// Sends one document to the service. The session's cookie is the only credential, and the browser keeps it.
import { kindOfCode, kindOfStatus, RequestError } from "./errors";
import { parseExact } from "./exact";
import type { TypedDocumentString } from "~/__generated__/graphql";

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

/** The options of a request. */
export interface RequestOptions {
  signal?: AbortSignal;
  /** Milliseconds until the request is given up. */
  timeout?: number;
  /** Numbers of the answer keep their text: see `exact.ts`. */
  exact?: boolean;
}

/** The answer to `document`. Throws a `RequestError` for every failure, also if only a part of the answer failed. */
export async function execute<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  { signal, timeout = 20_000, exact = false }: RequestOptions = {},
): Promise<Data> {
  const limit = AbortSignal.timeout(timeout);
  let response: Response;
  let text: string;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: String(document), variables }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const [kind, words] = limit.aborted ? (["timeout", "No answer came in time."] as const) : (["cut-off", "The connection failed."] as const);
    throw new RequestError(kind, words, null);
  }
  const requestId = response.headers.get("x-request-id");
  const answer = parse<Data>(text, exact);
  const error = answer?.errors?.[0];
  if (error) throw new RequestError(kindOfCode(error.extensions?.code), error.message, error.extensions?.requestId ?? requestId);
  if (answer?.data != null && response.ok) return answer.data;
  throw new RequestError(kindOfStatus(response.status), `The answer has the status ${response.status}.`, requestId);
}

function parse<Data>(text: string, exact: boolean): Answer<Data> | null {
  try {
    return (exact ? parseExact(text) : JSON.parse(text)) as Answer<Data>;
  } catch {
    return null;
  }
}
