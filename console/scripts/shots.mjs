// The screenshots of README.md and of docs/: `npm run shots`, against a fresh service. Makes "City of Springfield" by the
// API, with REGISTRY_SIGN_IN or REGISTRY_TOKEN of an operator, who is "Ada Lee" afterwards. A folder after it is where
// they are written instead.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ask, open, settings, settle } from "./browser.mjs";
import { shrink } from "./png.mjs";

const folder = process.argv[2] ?? fileURLToPath(new URL("../../docs/images", import.meta.url));
const graphql = new URL("/graphql", settings().service);
const WRITE = "userErrors { code message }";

const section = (required) => ({
  name: "find_section",
  description: "Finds sections of the municipal code by words.",
  inputSchema: { type: "object", properties: { words: { type: "string" }, chapter: { type: "string" } }, required },
});
const street = (name, description) => ({ name, description, inputSchema: { type: "object", properties: { street: { type: "string" } }, required: ["street"] } });
const version = (message, systemPrompt, rest = {}) => ({ message, systemPrompt, modelName: "gpt-4-turbo", ...rest });

/** The agents, with their versions and what serves: numbers of versions, in the order of their activations. */
const AGENTS = [
  {
    name: "Library assistant",
    description: "Finds books, and says whether they are in.",
    versions: [
      version("First wording", "You find books in the libraries of {{city}}.\n", { modelParameters: { temperature: 0.7 } }),
      version("Fewer guesses", "You find books in the libraries of {{city}}.\nIf you aren’t sure, say so.\n", { modelParameters: { temperature: 0.3 } }),
    ],
    staging: [1, 2],
    production: [1, 2],
  },
  {
    name: "Parking appeals",
    description: "Explains a ticket, and how to appeal.",
    versions: [
      version("First wording", "You explain parking tickets of {{city}}.\n"),
      version("Name the deadline", "You explain parking tickets of {{city}}.\nName the deadline of an appeal first.\n"),
      version("Shorter answers", "You explain parking tickets of {{city}}, in at most five sentences.\nName the deadline of an appeal first.\n"),
    ],
    staging: [1, 2, 3],
    production: [1, 3],
    back: 3,
  },
  {
    name: "Waste calendar",
    description: "Says when bins are emptied.",
    versions: [
      version("First wording", "You say on which day bins are emptied in {{city}}.\n", { modelName: "gpt-4o-mini", tools: [street("pickup_day", "The day on which a street’s bins are emptied.")] }),
      version("Name the next two days", "You say on which day bins are emptied in {{city}}.\nName the next two days.\n", { modelName: "gpt-4o-mini", tools: [street("pickup_day", "The day on which a street’s bins are emptied.")] }),
    ],
    staging: [1, 2],
    production: [1],
  },
  {
    name: "Permit helper",
    description: "Answers what a permit needs, and cites the code.",
    versions: [
      version("First wording", "You help citizens of {{city}} with building permits.\nAnswer briefly.\nSay which form is needed.\n", { modelParameters: { temperature: 0.2 }, tools: [section(["words"])] }),
      version("Cite the code", "You help citizens of {{city}} with building permits.\nAnswer briefly, and cite the section of the code.\nSay which form is needed.\n", { modelParameters: { temperature: 0.2 }, tools: [section(["words"])] }),
      version("Search one chapter only", "You help citizens of {{city}} with building permits.\nAnswer briefly, and cite the section of the code.\nSay which form is needed, and what it costs.\n", { modelParameters: { temperature: 0.1 }, tools: [section(["words", "chapter"])] }),
    ],
    staging: [1, 2, 3],
    production: [1, 2],
  },
];

/** Sends a document with a token of its own, as a pipeline or a gateway does. */
async function send(token, query, variables) {
  const response = await fetch(graphql, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${token}` }, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** The payload of a mutation that must not fail. */
function taken(data) {
  const [payload] = Object.values(data);
  if (payload.userErrors.length > 0) throw new Error(JSON.stringify(payload.userErrors));
  return payload;
}

/** Makes the customer. Returns its id, and the id of the agent that is shown. */
async function setUp(page) {
  const write = async (name, fields, input) => taken(await ask(page, `mutation ($input: ${name[0].toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${fields} ${WRITE} } }`, { input }));
  const { user } = await write("updateProfile", "user { id identities { issuer subject } }", { name: "Ada Lee" });
  const { customer } = await write("createCustomer", "customer { id }", { name: "City of Springfield" });
  const customerId = customer.id;
  const [{ issuer, subject }] = user.identities;
  await write("addMember", "membership { role }", { customerId, issuer, subject, role: "ADMIN" });
  await write("inviteMember", "invitation { id }", { customerId, email: "grace@springfield.example", role: "EDITOR" });
  await write("createEnvironment", "environment { id }", { customerId, key: "staging", name: "Staging", onBreaking: "ALLOW" });
  const { customer: made } = await ask(page, "query ($id: ID!) { customer(id: $id) { environments { id key } } }", { id: customerId });
  const { secret: pipeline } = await write("createApiKey", "secret", { customerId, name: "pipeline", scopes: ["AGENTS_READ", "VERSIONS_PUBLISH", "VERSIONS_ACTIVATE"] });
  const act = async (name, fields, input) => taken(await send(pipeline, `mutation ($input: ${name[0].toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${fields} ${WRITE} } }`, { input }));
  let shown;
  let revision;
  for (const { name, description, versions, staging, production, back } of AGENTS) {
    const { agent } = await write("createAgent", "agent { id }", { customerId, name, description, ownerId: user.id });
    const ids = [];
    for (const content of versions) ids.push((await act("publishVersion", "version { id }", { agentId: agent.id, ...content })).version.id);
    for (const number of staging) await act("activateVersion", "activation { id }", { agentId: agent.id, environment: "staging", versionId: ids[number - 1] });
    for (const number of production) ({ revision } = await write("activateVersion", "revision", { agentId: agent.id, environment: "production", versionId: ids[number - 1] }));
    if (back) ({ revision } = await write("rollback", "revision", { agentId: agent.id, environment: "production", expectedActiveVersionId: ids[back - 1] }));
    shown = agent.id;
  }
  const production = made.environments.find(({ key }) => key === "production").id;
  await write("updateEnvironment", "environment { id }", { environmentId: production, promoteFrom: "staging", onBreaking: "CONFIRM" });
  await report(write, customerId, revision);
  return { customerId, agentId: shown };
}

/** Gateways that serve what was activated: two in production, one in staging. */
async function report(write, customerId, revision) {
  for (const [environment, names] of [["production", ["gateway-1", "gateway-2"]], ["staging", ["gateway-staging"]]]) {
    const { secret } = await write("createServiceToken", "secret", { name: `gateways of ${environment}`, scopes: ["CONFIGS_READ", "ACTIVATIONS_WATCH"], customerIds: [customerId], environments: [environment] });
    await Promise.all(
      names.map(async (gatewayName) => {
        const answer = await send(secret, `mutation ($input: ReportServingInput!) { reportServing(input: $input) { ${WRITE} } }`, { input: { gatewayName, environment, revision, build: "1.4.0" } });
        taken(answer);
      }),
    );
  }
}

const { context, base, violations, faults, close } = await open();
try {
  const page = context.pages()[0] ?? (await context.newPage());
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.goto(`${base}/sign-in`);
  const { customerId, agentId } = await setUp(page);
  mkdirSync(folder, { recursive: true });
  const shoot = async (name, address, act) => {
    await page.goto(`${base}/c/${customerId}${address}`);
    await settle(page);
    await act?.();
    // No pointer over a row, and no notice that is about to go.
    await page.mouse.move(0, 0);
    await page.waitForTimeout(500);
    writeFileSync(path.join(folder, `console-${name}.png`), shrink(await page.screenshot()));
    console.log(name);
  };
  await shoot("overview", "");
  await shoot("agent", `/agents/${agentId}`);
  await shoot("activate", `/agents/${agentId}`, async () => {
    await page.getByRole("button", { name: "Promote 3 to production…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: /^Serve 3 in production/ }).waitFor();
    await settle(page);
  });
  await shoot("audit", "/audit", () => page.locator("main details, main [aria-expanded=false]").first().click());
} finally {
  await close();
}
for (const words of [...violations, ...faults]) console.error(words);
process.exitCode = violations.length + faults.length > 0 ? 1 : 0;
