// What "Load sample data" makes, by the mutations that everybody has: one customer, staging, three agents of three
// versions, and one rollback.
import type { TypedDocumentString, VersionContentInput } from "~/__generated__/graphql";
import { newIdempotencyKey, request } from "~/api/query";
import {
  CreateFirstCustomerDocument,
  SampleActivationDocument,
  SampleAgentDocument,
  SampleEnvironmentDocument,
  SampleRollbackDocument,
  SampleVersionDocument,
} from "./documents";

export interface SampleVersion {
  message: string;
  content: VersionContentInput;
}

export interface SampleAgent {
  name: string;
  description: string;
  versions: SampleVersion[];
}

const findSection = (required: string[]) => ({
  name: "find_section",
  description: "Finds sections of the municipal code by words.",
  inputSchema: { type: "object", properties: { words: { type: "string" }, chapter: { type: "string" } }, required },
});

const bookDay = { name: "pickup_day", description: "The day on which a street’s bins are emptied.", inputSchema: { type: "object", properties: { street: { type: "string" } }, required: ["street"] } };

export const SAMPLE_AGENTS: readonly SampleAgent[] = [
  {
    name: "Permit helper",
    description: "Answers what a permit needs, and cites the code.",
    versions: [
      {
        message: "First wording",
        content: { modelName: "gpt-4-turbo", systemPrompt: "You help citizens of {{city}} with building permits.\nAnswer briefly.\nSay which form is needed.\n", modelParameters: { temperature: 0.2 }, tools: [findSection(["words"])] },
      },
      {
        message: "Cite the code",
        content: { modelName: "gpt-4-turbo", systemPrompt: "You help citizens of {{city}} with building permits.\nAnswer briefly, and cite the section of the code.\nSay which form is needed.\n", modelParameters: { temperature: 0.2 }, tools: [findSection(["words"])] },
      },
      {
        message: "Search one chapter only",
        content: { modelName: "gpt-4-turbo", systemPrompt: "You help citizens of {{city}} with building permits.\nAnswer briefly, and cite the section of the code.\nSay which form is needed, and what it costs.\n", modelParameters: { temperature: 0.1 }, tools: [findSection(["words", "chapter"])] },
      },
    ],
  },
  {
    name: "Waste calendar",
    description: "Says when bins are emptied.",
    versions: [
      { message: "First wording", content: { modelName: "gpt-4o-mini", systemPrompt: "You say on which day bins are emptied in {{city}}.\n", tools: [bookDay] } },
      { message: "Friendlier", content: { modelName: "gpt-4o-mini", systemPrompt: "You say on which day bins are emptied in {{city}}.\nBe friendly, and name the next two days.\n", tools: [bookDay] } },
      { message: "Say what goes where", content: { modelName: "gpt-4o-mini", systemPrompt: "You say on which day bins are emptied in {{city}}.\nBe friendly, and name the next two days.\nIf asked, say what goes into which bin.\n", tools: [bookDay] } },
    ],
  },
  {
    name: "Library assistant",
    description: "Finds books, and says whether they are in.",
    versions: [
      { message: "First wording", content: { modelName: "gpt-4-turbo", systemPrompt: "You find books in the libraries of {{city}}.\n", modelParameters: { temperature: 0.7 } } },
      { message: "Fewer guesses", content: { modelName: "gpt-4-turbo", systemPrompt: "You find books in the libraries of {{city}}.\nIf you aren’t sure, say so.\n", modelParameters: { temperature: 0.3 } } },
      { message: "Offer to reserve", content: { modelName: "gpt-4-turbo", systemPrompt: "You find books in the libraries of {{city}}.\nIf you aren’t sure, say so.\nOffer to reserve a book that is out.\n", modelParameters: { temperature: 0.3 } } },
    ],
  },
];

interface Payload {
  userErrors: { message: string }[];
}

/** One mutation that was sent, as the page lists it. */
export interface SampleStep {
  words: string;
  document: object;
  variables: unknown;
}

/** Makes the sample data. `onStep` hears of each mutation when it is done. Resolves to the new customer's id. */
export async function loadSample(onStep: (step: SampleStep) => void): Promise<string> {
  const send = async <Data, Input, Result extends Payload>(words: string, document: TypedDocumentString<Data, { input: Input }>, input: Input, payloadOf: (data: Data) => Result): Promise<Result> => {
    const variables = { input: { ...input, idempotencyKey: newIdempotencyKey() } };
    const payload = payloadOf(await request(document, variables, { timeout: 30_000 }));
    const [error] = payload.userErrors;
    if (error) throw new Error(error.message);
    onStep({ words, document, variables: { input } });
    return payload;
  };
  const { customer } = await send("Created Sample City", CreateFirstCustomerDocument, { name: "Sample City" }, (data) => data.createCustomer);
  const customerId = idOf(customer);
  await send("Created the environment staging", SampleEnvironmentDocument, { customerId, key: "staging", name: "Staging" }, (data) => data.createEnvironment);
  for (const { name, description, versions } of SAMPLE_AGENTS) {
    const { agent } = await send(`Created ${name}`, SampleAgentDocument, { customerId, name, description }, (data) => data.createAgent);
    const agentId = idOf(agent);
    const ids: string[] = [];
    for (const { message, content } of versions) {
      const { version } = await send(`Published ${name} ${ids.length + 1}`, SampleVersionDocument, { agentId, message, ...content }, (data) => data.publishVersion);
      ids.push(idOf(version));
    }
    const activate = (number: number, environment: string) =>
      send(`Activated ${name} ${number} in ${environment}`, SampleActivationDocument, { agentId, environment, versionId: ids[number - 1] ?? "" }, (data) => data.activateVersion);
    await activate(3, "staging");
    await activate(1, "production");
    await activate(2, "production");
    if (name === "Permit helper") {
      await send(`Rolled ${name} back to 1 in production`, SampleRollbackDocument, { agentId, environment: "production", expectedActiveVersionId: ids[1] }, (data) => data.rollback);
    }
  }
  return customerId;
}

/** How many mutations `loadSample` sends. */
export const SAMPLE_STEPS = 2 + SAMPLE_AGENTS.reduce((sum, { versions }) => sum + 1 + versions.length + 3, 0) + 1;

function idOf(object: { id: string } | null | undefined): string {
  if (!object) throw new Error("The registry answered without the object that it made.");
  return object.id;
}
