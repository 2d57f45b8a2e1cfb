// The tab's one subscription. It says what moved, and keeps the place in the log where it continues after a break.
import { createClient, type Client } from "graphql-ws";
import { graphql } from "./graphql";
import { client as queries, refetch } from "./query";
import { topicsOf, type Movement, type Topic } from "./topics";

const Moved = graphql(`
  subscription Moved($customerId: ID, $after: Cursor) {
    customerEvents(customerId: $customerId, after: $after) {
      cursor
      revision
      at
      action
      customerId
      agentId
      environmentKey
      actor {
        displayName
      }
      agent {
        name
      }
      version {
        number
      }
    }
  }
`);

/** What the frame shows of the connection. */
export interface LiveState {
  status: "connecting" | "live" | "down";
  /** When the present status began. */
  since: number;
  /** Whether it is down for more than a moment. */
  isLost: boolean;
  /** The newest commit that was seen. */
  revision: string | null;
  /** When an event, or the connection itself, last showed life. */
  heardAt: number | null;
}

/** One event, for pages that show the newest ones themselves. */
export interface MovedEvent extends Movement {
  cursor: string;
  revision: string;
  at: string;
  environmentKey: string | null;
  actor: { displayName: string };
  agent: { name: string } | null;
  version: { number: number } | null;
}

let state: LiveState = { status: "connecting", since: Date.now(), isLost: false, revision: null, heardAt: null };
let lost: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const audience = new Set<(event: MovedEvent) => void>();

function change(next: Partial<LiveState>): void {
  const began = next.status !== undefined && next.status !== state.status;
  state = { ...state, ...(began ? { since: Date.now(), isLost: false } : {}), ...next };
  if (began) {
    clearTimeout(lost);
    if (next.status === "down") lost = setTimeout(() => change({ isLost: true }), 3000);
  }
  for (const listener of listeners) listener();
}

export const live = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  state: (): LiveState => state,
  /** Calls `listener` with each event of the customer that is looked at. */
  onEvent(listener: (event: MovedEvent) => void): () => void {
    audience.add(listener);
    return () => audience.delete(listener);
  },
};

/** Milliseconds until the next try: doubled up to half a minute, and spread, so that tabs don't return at once. */
export function backoff(tries: number, random = Math.random()): number {
  return Math.min(30_000, 500 * 2 ** tries) * (0.5 + random / 2);
}

/** Collects the topics of a burst of events, so that a query is refetched once for all of them. */
export function gather(flush: (topics: Topic[]) => void, wait = 80): (topics: Topic[]) => void {
  let waiting: Set<Topic> | null = null;
  return (topics) => {
    if (topics.length === 0) return;
    if (waiting) {
      for (const one of topics) waiting.add(one);
      return;
    }
    waiting = new Set(topics);
    setTimeout(() => {
      const all = [...(waiting ?? [])];
      waiting = null;
      flush(all);
    }, wait);
  };
}

/**
 * Watches a customer, or with `null` every customer that you can see, from `revision` on. Returns the function that
 * ends it.
 */
export function watch(customerId: string | null, revision: string | null): () => void {
  let cursor = revision;
  let tries = 0;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  const moved = gather(refetch);
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket: Client = createClient({
    url: address.href,
    retryAttempts: 0,
    keepAlive: 12_000,
    on: {
      connected: () => change({ status: "live", heardAt: Date.now() }),
      pong: () => change({ heardAt: Date.now() }),
    },
  });

  const again = (tooOld: boolean): void => {
    if (ended) return;
    if (tooOld) cursor = null;
    // The service also ends the stream of those who may not see the customer any more: the frame asks.
    if (state.status === "live") refetch(["viewer"]);
    change({ status: "down" });
    timer = setTimeout(connect, backoff(tries));
    tries += 1;
  };

  const connect = (): void => {
    if (ended) return;
    let tooOld = false;
    const resumed = cursor !== null;
    stop = socket.subscribe<{ customerEvents: MovedEvent }>(
      { query: String(Moved), variables: { customerId, after: cursor } },
      {
        next: ({ data, errors }) => {
          tooOld ||= Boolean(errors?.some(({ extensions }) => String(extensions?.["code"]).startsWith("CURSOR_")));
          const event = data?.customerEvents;
          if (!event) return;
          tries = 0;
          cursor = event.cursor;
          change({ status: "live", revision: event.revision, heardAt: Date.now() });
          moved(topicsOf(event));
          for (const listener of audience) listener(event);
        },
        error: (error) => {
          const codes = Array.isArray(error) ? error.map((one: { extensions?: { code?: string } }) => one.extensions?.code ?? "") : [];
          again(codes.some((code) => code.startsWith("CURSOR_")));
        },
        complete: () => again(tooOld),
      },
    );
    // Without a place to continue from, events may have been missed: what is on the screen is read anew.
    if (!resumed && tries > 0) void queries.invalidateQueries();
  };

  change({ status: "connecting", revision });
  connect();
  const online = () => {
    if (state.status !== "down" || ended) return;
    clearTimeout(timer);
    tries = 0;
    connect();
  };
  window.addEventListener("online", online);
  return () => {
    ended = true;
    clearTimeout(timer);
    window.removeEventListener("online", online);
    stop?.();
    void socket.dispose();
  };
}
