import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { VersionContentFragment } from "~/__generated__/graphql";
import { keyOf, request } from "~/api/query";
import { VersionContentDocument } from "./documents";

/** The content of a version, with the numbers as they were published; null if there is no such version. */
export function useVersion(agent: string, number: number | null): UseQueryResult<VersionContentFragment | null> {
  return useQuery({
    queryKey: [...keyOf(VersionContentDocument, { agent, number }), "exact"],
    queryFn: async ({ signal }) => (await request(VersionContentDocument, { agent, number: number ?? 0 }, { signal, exact: true })).agent?.version ?? null,
    enabled: number !== null,
    // A version that isn't there may be published at any time; one that is there never changes.
    staleTime: ({ state }) => (state.data ? Infinity : 0),
    structuralSharing: false,
    refetchOnWindowFocus: false,
  });
}
