// How smooth the console stays, against a real service: `npm run measure`. Makes a customer with 20,000 agents by an import,
// and two prompts of 512 KiB; then prints the longest task of the page while the list scrolls and while the prompts are
// compared, and the time from a publish in one window until another shows it. AGENTS is another number of agents.
import { ask, open, settings, settle } from "./browser.mjs";

const AGENTS = Number(process.env.AGENTS ?? 20_000);
const LIMIT = 200;
const WRITE = "userErrors { code message }";
const CHUNK = 5000;

const write = async (page, name, fields, input) => {
  const data = await ask(page, `mutation ($input: ${name[0].toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${fields} ${WRITE} } }`, { input });
  if (data[name].userErrors.length > 0) throw new Error(JSON.stringify(data[name].userErrors));
  return data[name];
};

/** Imports lines: by the session's own route, or with the token. */
async function upload(page, customerId, body) {
  const { service, token, link } = settings();
  const put = async ([address, text, bearer]) => {
    const response = await fetch(address, { method: "POST", headers: { "content-type": "application/x-ndjson", ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) }, body: text });
    return { ok: response.ok, text: await response.text() };
  };
  const answer = link ? await page.evaluate(put, [`/console/upload/customers/${customerId}?activate=true`, body]) : await put([`${service}/v1/customers/${customerId}/import?activate=true`, body, token]);
  const last = answer.text.trim().split("\n").at(-1);
  if (!answer.ok || !JSON.parse(last).summary.complete) throw new Error(answer.text.slice(0, 500));
}

/** A prompt of exactly 512 KiB; every 40th line differs by `mark`. */
function prompt(mark) {
  const lines = [];
  for (let size = 0; size < 512 * 1024; ) {
    const line = `${lines.length + 1}. Answer citizens of {{city}} in plain words, and cite section ${lines.length % 40 === 0 ? mark : lines.length}.\n`;
    lines.push(line);
    size += line.length;
  }
  return lines.join("").slice(0, 512 * 1024);
}

/** The customer of an earlier run, if it is whole. */
async function earlier(page) {
  const { customers } = await ask(page, 'query { customers(first: 100, filter: { nameContains: "Measured" }) { nodes { id agents(first: 2) { totalCount totalCountIsExact nodes { id latestVersion { number } } } } } }');
  const whole = customers.nodes.find(({ agents }) => (agents.totalCountIsExact ? agents.totalCount === AGENTS : AGENTS > agents.totalCount) && agents.nodes[0]?.latestVersion.number === 3);
  return whole && { customerId: whole.id, agentId: whole.agents.nodes[0].id };
}

async function setUp(page) {
  const { customer } = await write(page, "createCustomer", "customer { id }", { name: `Measured ${new Date().toISOString()}` });
  await write(page, "setPlan", "customer { id }", { customerId: customer.id, plan: "ENTERPRISE" });
  for (let from = 0; from < AGENTS; from += CHUNK) {
    const lines = Array.from({ length: Math.min(CHUNK, AGENTS - from) }, (_, index) =>
      JSON.stringify({ agent: `Agent ${String(from + index + 1).padStart(5, "0")}`, versions: [{ system_prompt: `You are number ${from + index + 1}.`, model_name: ["gpt-4-turbo", "gpt-4o-mini", "claude-sonnet"][index % 3] }] }),
    );
    await upload(page, customer.id, `${lines.join("\n")}\n`);
  }
  const { customer: made } = await ask(page, "query ($id: ID!) { customer(id: $id) { agents(first: 1) { nodes { id } } } }", { id: customer.id });
  const agentId = made.agents.nodes[0].id;
  for (const mark of ["one", "two"]) await write(page, "publishVersion", "version { id }", { agentId, modelName: "gpt-4-turbo", systemPrompt: prompt(mark), message: `Long prompt ${mark}` });
  return { customerId: customer.id, agentId };
}

/** Collects the tasks of more than 50 ms of a page, from its beginning. */
async function observed(context) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.longTasks = [];
    new window.PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) window.longTasks.push({ startTime, duration });
    }).observe({ type: "longtask", buffered: true });
  });
  return page;
}

const tasks = (page, since = 0) => page.evaluate((from) => window.longTasks.filter(({ startTime }) => startTime >= from).map(({ duration }) => Math.round(duration)), since);
const now = (page) => page.evaluate(() => performance.now());
const results = [];

function tell(what, milliseconds, extra, limit = LIMIT) {
  results.push(milliseconds <= limit);
  console.log(`${milliseconds <= limit ? "ok" : "no"}  ${what}: ${milliseconds} ms${extra ? ` (${extra})` : ""}`);
}

async function scroll(context, base, { customerId }) {
  const page = await observed(context);
  await page.goto(`${base}/c/${customerId}/agents`);
  await settle(page);
  tell("longest task until the list is shown", Math.max(0, ...(await tasks(page))));
  const since = await now(page);
  await page.mouse.move(700, 500);
  let seen = 0;
  for (const end = Date.now() + 120_000; Date.now() < end && seen < AGENTS; ) {
    await page.mouse.wheel(0, 6000);
    await page.waitForTimeout(30);
    seen = await page.evaluate(() => Math.max(0, ...[...document.querySelectorAll("main [aria-rowindex]")].map((row) => Number(row.getAttribute("aria-rowindex")) - 1)));
  }
  for (const distance of [-400_000, 400_000, -100_000]) {
    await page.mouse.wheel(0, distance);
    await page.waitForTimeout(200);
  }
  const all = await tasks(page, since);
  const rows = await page.locator("main [aria-rowindex]").count();
  tell("longest task while the list scrolls", Math.max(0, ...all), `${seen.toLocaleString("en")} agents reached, ${rows} rows in the page, ${all.length} tasks over 50 ms`);
  await page.close();
}

async function compare(context, base, { customerId, agentId }) {
  const page = await observed(context);
  await page.goto(`${base}/c/${customerId}/agents/${agentId}/compare?from=2&to=3`);
  await settle(page);
  await page.getByText(/lines? added/).first().waitFor({ timeout: 60_000 });
  const words = page.getByRole("button", { name: "Mark the words that differ" });
  if (await words.isVisible()) await words.click();
  await page.locator("main ins, main del").first().waitFor({ timeout: 60_000 });
  await page.waitForTimeout(1000);
  await page.mouse.move(700, 500);
  for (let step = 0; step < 20; step += 1) {
    await page.mouse.wheel(0, 4000);
    await page.waitForTimeout(50);
  }
  const all = await tasks(page);
  tell("longest task while two prompts of 512 KiB are compared", Math.max(0, ...all), `${all.length} tasks over 50 ms`);
  await page.close();
}

async function publish(context, base, { customerId, agentId }, writer) {
  const page = await context.newPage();
  const { customer } = await ask(writer, "query ($id: ID!) { customer(id: $id) { agents(first: 2) { nodes { id } } } }", { id: customerId });
  const id = customer.agents.nodes.find((one) => one.id !== agentId).id;
  await page.goto(`${base}/c/${customerId}/agents/${id}`);
  await settle(page);
  const times = [];
  for (let number = 1; number <= 7; number += 1) {
    const words = `Seen elsewhere ${number}`;
    const seen = page.waitForFunction((text) => document.querySelector("main")?.textContent?.includes(text) && Date.now(), words, { polling: "raf", timeout: 15_000 });
    const began = Date.now();
    await write(writer, "publishVersion", "version { id }", { agentId: id, modelName: "gpt-4-turbo", systemPrompt: words, message: words });
    times.push((await (await seen).jsonValue()) - began);
  }
  times.sort((one, other) => one - other);
  tell("a publish until another window shows it", times[3], `median of 7; the longest took ${times.at(-1)} ms`, 1000);
  await page.close();
}

const { context, base, violations, faults, close } = await open();
try {
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(`${base}/sign-in`);
  const began = Date.now();
  const found = await earlier(page);
  const world = found ?? (await setUp(page));
  console.log(`    ${found ? "took" : "made"} ${AGENTS.toLocaleString("en")} agents in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  await scroll(context, base, world);
  await compare(context, base, world);
  await publish(context, base, world, page);
} finally {
  await close();
}
for (const words of [...violations, ...faults]) console.error(words);
process.exitCode = results.every(Boolean) && violations.length + faults.length === 0 ? 0 : 1;
