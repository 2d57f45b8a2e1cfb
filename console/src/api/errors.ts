// Every way in which a request can fail, in words for people.

/** What the console does about a failure depends on its kind. */
export type FailureKind =
  | "cut-off"
  | "timeout"
  | "session"
  | "forbidden"
  | "not-found"
  | "too-many"
  | "unavailable"
  | "refused"
  | "fault";

const KINDS: Record<string, FailureKind> = {
  UNAUTHENTICATED: "session",
  FORBIDDEN: "forbidden",
  NOT_FOUND: "not-found",
  RATE_LIMITED: "too-many",
  UNAVAILABLE: "unavailable",
  BAD_USER_INPUT: "refused",
  INVALID: "refused",
  QUERY_TOO_COMPLEX: "refused",
  DOCUMENT_NOT_TRUSTED: "refused",
  INTERNAL: "fault",
};

const STATUSES: Record<number, FailureKind> = {
  401: "session",
  403: "forbidden",
  404: "not-found",
  408: "timeout",
  413: "refused",
  429: "too-many",
  502: "unavailable",
  503: "unavailable",
  504: "timeout",
};

/** A request that has no answer. */
export class RequestError extends Error {
  readonly kind: FailureKind;
  /** The id under which the service's log has more; null if the request didn't reach it. */
  readonly requestId: string | null;

  constructor(kind: FailureKind, message: string, requestId: string | null) {
    super(message);
    this.name = "RequestError";
    this.kind = kind;
    this.requestId = requestId;
  }

  /** Whether it isn't known if the service did what it was asked to do. */
  get isUnsure(): boolean {
    return this.kind === "cut-off" || this.kind === "timeout" || this.kind === "unavailable";
  }
}

/** The kind of an error in a GraphQL answer. */
export function kindOfCode(code: unknown): FailureKind {
  return (typeof code === "string" ? KINDS[code] : undefined) ?? "fault";
}

/** The kind of a response without a GraphQL answer. */
export function kindOfStatus(status: number): FailureKind {
  return STATUSES[status] ?? (status >= 500 ? "fault" : "refused");
}

const TITLES: Record<FailureKind, string> = {
  "cut-off": "The registry can’t be reached",
  timeout: "The registry didn’t answer in time",
  session: "Your session has ended",
  forbidden: "You can’t see this here",
  "not-found": "This is gone, or isn’t yours",
  "too-many": "Too many requests",
  unavailable: "The registry can’t answer now",
  refused: "The registry didn’t accept this request",
  fault: "The registry has a fault",
};

/** A sentence that says what happened. */
export function titleOf(error: unknown): string {
  return error instanceof RequestError ? TITLES[error.kind] : "The console has a fault";
}
