// The typed tag of every document. The build replaces each call by the text that is sent: see `scripts/documents.mjs`.
import type { graphql as Typed } from "~/__generated__/gql";

export const graphql = ((text: string) => text) as unknown as typeof Typed;

/** The name of a document's operation. */
export function operationName(document: { toString(): string }): string {
  return /^\s*(?:query|mutation|subscription)\s+(\w+)/.exec(document.toString())?.[1] ?? "anonymous";
}
