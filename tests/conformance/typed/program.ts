// Shows what the generated types check: the arguments and the result of each document. It is compiled, not run.

import { Client, fetchExchange } from "@urql/core";
import { ActivateDocument, ReadVersionsDocument, WatchDocument } from "./__generated__/operations";

const url = "http://127.0.0.1:8080/graphql";
const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false });

export async function activateNewest(agentId: string): Promise<number> {
  const { data, error } = await client.query(ReadVersionsDocument, { id: agentId, first: 1 }).toPromise();
  if (error) throw error;
  const newest = data?.agent?.versions.edges[0]?.node;
  if (!newest) throw new Error("no version was published");
  const expectedActiveVersionId = data.agent?.activeVersion?.id ?? null;
  const input = { agentId, versionId: newest.id, expectedActiveVersionId };
  const answer = await client.mutation(ActivateDocument, { input }).toPromise();
  for (const { code, field, message } of answer.data?.activateVersion.userErrors ?? []) {
    throw new Error(`${code} at ${field ?? "the whole"}: ${message}`);
  }
  return newest.number;
}

export function watch(agentIds: string[], after: string, tell: (line: string) => void): () => void {
  const watching = client.subscription(WatchDocument, { agentIds, after }).subscribe(({ data }) => {
    if (data) tell(`${data.activations.reason}: ${data.activations.version?.number ?? "nothing"} serves`);
  });
  return () => watching.unsubscribe();
}

export async function refused(agentId: string): Promise<void> {
  // @ts-expect-error: an agent must be named
  await client.query(ReadVersionsDocument, { first: 1 }).toPromise();
  const { data } = await client.query(ReadVersionsDocument, { id: agentId }).toPromise();
  // @ts-expect-error: the document does not ask for it
  data?.agent?.description;
  // @ts-expect-error: there may be no such agent
  data?.agent.name;
  // @ts-expect-error: a number is no version's id
  await client.mutation(ActivateDocument, { input: { agentId, versionId: 1 } }).toPromise();
}
