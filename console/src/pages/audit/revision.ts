// The entries of one commit. Lists know no revisions, but a subscription begins at one: it replays what came after it.
import { createClient } from "graphql-ws";
import { useQuery } from "@tanstack/react-query";
import type { AuditEntryFragment } from "~/__generated__/graphql";
import { RequestError } from "~/api/errors";
import { AuditRevisionDocument } from "./documents";

/** How long nothing may come before the commit is taken to have no further entry. */
const SILENCE = 1500;

/** The entries of `revision` among `events`, which are ordered; `isDone` when one of a later commit was there. */
export function entriesOf<Entry extends { revision: string }>(revision: string, events: readonly Entry[]): { entries: Entry[]; isDone: boolean } {
  const entries = events.filter((one) => one.revision === revision);
  return { entries, isDone: events.length > entries.length };
}

function read(customer: string, revision: string, signal: AbortSignal): Promise<AuditEntryFragment[]> {
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = createClient({ url: address.href, retryAttempts: 0 });
  return new Promise<AuditEntryFragment[]>((resolve, reject) => {
    const events: AuditEntryFragment[] = [];
    const finish = () => {
      clearTimeout(timer);
      stop();
      void socket.dispose();
      resolve(entriesOf(revision, events).entries);
    };
    let timer = setTimeout(finish, SILENCE * 4);
    const after = String(BigInt(revision) - 1n);
    const stop = socket.subscribe<{ changes: AuditEntryFragment }>(
      { query: String(AuditRevisionDocument), variables: { customer, after } },
      {
        next: ({ data, errors }) => {
          if (errors?.[0]) return reject(new RequestError("refused", errors[0].message, null));
          if (data) events.push(data.changes);
          clearTimeout(timer);
          if (entriesOf(revision, events).isDone) finish();
          else timer = setTimeout(finish, SILENCE);
        },
        error: (error) => {
          clearTimeout(timer);
          const message = Array.isArray(error) ? String((error[0] as { message?: string } | undefined)?.message) : "The connection failed.";
          reject(new RequestError(Array.isArray(error) ? "refused" : "cut-off", message, null));
        },
        complete: finish,
      },
    );
    signal.addEventListener("abort", finish);
  });
}

/** The entries of a commit at a customer; none if the commit was about another one. */
export function useRevision(customer: string, revision: string | undefined) {
  return useQuery({
    queryKey: ["AuditRevision", customer, revision],
    queryFn: ({ signal }) => read(customer, revision ?? "1", signal),
    enabled: revision !== undefined,
    staleTime: Infinity,
    retry: false,
  });
}
