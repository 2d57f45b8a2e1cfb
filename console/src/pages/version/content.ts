// What a version holds, in the forms in which it can be copied and published again.
import type { ToolInput, VersionContentFragment, VersionContentInput } from "~/__generated__/graphql";

type Tool = VersionContentFragment["tools"][number];

/** A tool as an input: without what it doesn't have. */
export function toolInput(tool: Tool): ToolInput {
  return Object.fromEntries(Object.entries(tool).filter(([key, value]) => value !== null && key !== "__typename")) as unknown as ToolInput;
}

/** The content as an input of `publishVersion` and `activationPlan`. */
export function contentOf({ modelName, systemPrompt, modelParameters, tools, extensions }: VersionContentFragment): Required<VersionContentInput> {
  return { modelName, systemPrompt, modelParameters, tools: tools.map(toolInput), extensions };
}

const PUBLISH = `mutation Publish($input: PublishVersionInput!) {
  publishVersion(input: $input) {
    version { id number }
    userErrors { path message }
  }
}`;

export interface Copies {
  json: string;
  graphql: string;
  curl: string;
  rest: string;
}

/** A text in single quotes for a shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The content as JSON, as a mutation with its variables, and as two commands. */
export function copiesOf(agentId: string, version: VersionContentFragment, origin: string): Copies {
  const content = contentOf(version);
  const variables = { input: { agentId, ...content } };
  const json = JSON.stringify(content, null, 2);
  const key = `-H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json'`;
  return {
    json,
    graphql: `${PUBLISH}\n\n# Variables\n${JSON.stringify(variables, null, 2)}\n`,
    curl: `curl -sS ${origin}/graphql ${key} \\\n  --data-raw ${shellQuote(JSON.stringify({ query: PUBLISH, variables }))}\n`,
    rest: `curl -sS ${origin}/v1/agents/${agentId}/versions ${key} \\\n  --data-raw ${shellQuote(JSON.stringify(content))}\n`,
  };
}

/** 12,345 bytes as "12.1 KiB". */
export function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toLocaleString("en", { maximumFractionDigits: 1 })} KiB`;
}
