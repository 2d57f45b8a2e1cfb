// Reading and writing by TanStack Query: which queries a movement refetches, and what a write sends with it.
import { QueryClient, useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { TypedDocumentString } from "~/__generated__/graphql";
import { RequestError } from "./errors";
import { execute, type RequestOptions } from "./execute";
import { operationName } from "./graphql";
import { sessionEnded } from "./session";
import type { Topic } from "./topics";

declare module "@tanstack/react-query" {
  interface Register {
    queryMeta: { topics?: readonly Topic[] };
  }
}

/** The client of this tab. */
export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      gcTime: 10 * 60_000,
      retry: (count, error) => count < 2 && error instanceof RequestError && error.isUnsure,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

/** The options of `useData`. */
export interface DataOptions {
  /** The query is refetched when one of these moves. */
  topics?: readonly Topic[];
  /** Read later, when this turns true. */
  enabled?: boolean;
  /** Never refetched: a version's content, a comparison of two versions. */
  immutable?: boolean;
  /** Keep showing the last answer while the variables change: filters and order of a list. */
  keep?: boolean;
  /** Milliseconds between reads, for what no event announces. */
  every?: number;
}

/** The key of a query. */
export function keyOf(document: { toString(): string }, variables: unknown): readonly unknown[] {
  return [operationName(document), variables];
}

/** Runs a request; the frame hears of a session that has ended. */
export async function request<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  options?: RequestOptions,
): Promise<Data> {
  try {
    return await execute(document, variables, options);
  } catch (error) {
    if (error instanceof RequestError && error.kind === "session") sessionEnded();
    throw error;
  }
}

/** The answer to a query, kept current by its topics. */
export function useData<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  { topics, enabled = true, immutable = false, keep = false, every }: DataOptions = {},
): UseQueryResult<Data> {
  return useQuery<Data, Error, Data>({
    queryKey: keyOf(document, variables),
    queryFn: ({ signal }) => request(document, variables, { signal }),
    enabled,
    meta: { topics: topics ?? [] },
    ...(immutable ? { staleTime: Infinity, gcTime: Infinity } : {}),
    ...(keep ? { placeholderData: (last: Data | undefined) => last } : {}),
    ...(every ? { refetchInterval: every } : {}),
  } as Parameters<typeof useQuery<Data, Error, Data>>[0]);
}

/** Refetches the queries that show one of `topics`. */
export function refetch(topics: readonly Topic[]): void {
  if (topics.length === 0) return;
  void client.invalidateQueries({ predicate: ({ meta }) => meta?.topics?.some((one) => topics.includes(one)) ?? false });
}

/** A key for one write of a user. Repeating the write with it does nothing twice. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}
