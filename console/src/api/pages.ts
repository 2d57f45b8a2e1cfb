// Lists without page numbers: the next objects are read when the end comes near.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { TypedDocumentString } from "~/__generated__/graphql";
import { keyOf, request, type DataOptions } from "./query";

/** The part of a connection that a list needs. */
export interface Connection<Node> {
  nodes: readonly Node[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}

export interface PagedList<Data, Node> {
  rows: readonly Node[];
  /** The first page's answer, with what stands beside the list; undefined until it is there. */
  first: Data | undefined;
  error: Error | null;
  /** Reads the next page, if there is one and it isn't being read. */
  more: () => void;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** The rows are those of other filters, until the new ones are there. */
  isOld: boolean;
  refetch: () => void;
}

/** The options of `usePages`. */
export interface PagesOptions extends Omit<DataOptions, "immutable"> {
  /** Read anew on demand alone: the page says itself that there is more to see, and rows don't jump. */
  still?: boolean;
}

/** The objects of a connection, page by page. The document takes the cursor as `$after`. */
export function usePages<Data, Variables extends { after?: string | null }, Node>(
  document: TypedDocumentString<Data, Variables>,
  variables: Omit<Variables, "after">,
  connectionOf: (data: Data) => Connection<Node> | null | undefined,
  { topics, enabled = true, keep = true, every, still = false }: PagesOptions = {},
): PagedList<Data, Node> {
  const query = useInfiniteQuery({
    queryKey: [...keyOf(document, variables), "pages"],
    queryFn: ({ signal, pageParam }) => request(document, { ...variables, after: pageParam } as Variables, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Data) => {
      const info = connectionOf(last)?.pageInfo;
      return info?.hasNextPage ? info.endCursor : undefined;
    },
    enabled,
    // By default the whole list is compared with the old one at each page, which takes longer the more of it was read.
    structuralSharing: false,
    meta: { topics: topics ?? [] },
    ...(keep ? { placeholderData: (last) => last } : {}),
    ...(every ? { refetchInterval: every } : {}),
    ...(still ? { staleTime: Infinity, refetchOnWindowFocus: false } : {}),
  });
  const { data, hasNextPage, isFetching, isFetchingNextPage, fetchNextPage, refetch, error, isPlaceholderData } = query;
  // `connectionOf` is a plain path into the answer: only the answer decides the rows.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const rows = useMemo(() => (data?.pages ?? []).flatMap((page) => [...(connectionOf(page)?.nodes ?? [])]), [data]);
  const more = useCallback(() => {
    if (hasNextPage && !isFetching && !isPlaceholderData) void fetchNextPage();
  }, [hasNextPage, isFetching, isPlaceholderData, fetchNextPage]);
  return {
    rows,
    first: data?.pages[0],
    error: data ? null : error,
    more,
    hasMore: hasNextPage,
    isLoadingMore: isFetchingNextPage,
    isOld: isPlaceholderData,
    refetch: () => void refetch(),
  };
}
