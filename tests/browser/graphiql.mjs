// Tests the explorer in a real browser: it shows the schema, runs the initial query and a typed one, receives an
// activation in a subscription, stores the queries without the token in its history, and loads from its own origin
// only.
//
//   node graphiql.mjs --url http://127.0.0.1:PORT --token TOKEN --agent AGENT_ID [--screenshot FILE] [--dark] [--width 800]
//
// Prints one JSON object a line: {"ready":"subscription"} when the server has had time to accept the subscription
// (now activate a version of the agent), then the summary. Exit code 0: success; 1: a check failed; 2: wrong usage.
// CHROMIUM names the browser; without it the script tries the usual paths.

import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const LIMIT = 60_000;
const STEP = 15_000;
const BROWSERS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

function usage(message) {
  console.error(`graphiql.mjs: ${message}`);
  process.exit(2);
}

const options = (() => {
  try {
    return parseArgs({
      options: {
        url: { type: "string" },
        token: { type: "string" },
        agent: { type: "string" },
        screenshot: { type: "string" },
        dark: { type: "boolean", default: false },
        width: { type: "string", default: "1280" },
      },
    }).values;
  } catch (error) {
    return usage(error.message);
  }
})();
for (const name of ["url", "token", "agent"]) if (!options[name]) usage(`--${name} is missing`);
const executablePath = process.env.CHROMIUM || BROWSERS.find((path) => existsSync(path));
if (!executablePath) usage("no Chromium found: install it, or name it in CHROMIUM");

const summary = {
  schema: false,
  first_query: false,
  query: false,
  subscription: false,
  events: false,
  history: false,
  console_errors: [],
  foreign_requests: [],
  csp_violations: [],
  token_in_storage: false,
  token_in_url: false,
  failed_at: null,
};

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
/** Removes the token from any output, error messages included. */
const hide = (text) => String(text).replaceAll(options.token, "[token]");

const origin = new URL(options.url).origin;
const ownSocket = origin.replace(/^http/, "ws");
function request(url) {
  const { protocol, origin: of } = new URL(url);
  if (url.includes(options.token)) summary.token_in_url = true;
  if (["data:", "blob:", "about:"].includes(protocol)) return;
  // A WebSocket's URL has the origin of its own scheme.
  if (of !== origin && of !== ownSocket) summary.foreign_requests.push(hide(url));
}

/** The frames of each socket of the page, in both directions. */
const frames = new Map();

let step = "start";
async function run(page) {
  const editor = page.getByRole("region", { name: "Query Editor" }).locator(".CodeMirror").first();
  const result = page.getByRole("region", { name: "Result Window" });
  const execute = page.getByRole("button", { name: /^(Execute|Stop) query/ });
  const write = async (text) => {
    await editor.click();
    await page.keyboard.press("ControlOrMeta+A");
    // Inserted, not typed, because CodeMirror would close each bracket.
    await page.keyboard.insertText(text);
    await page.keyboard.press("Escape");
  };

  // An overlay that opens doesn't listen yet. While one is open, the rest of the page can't be found by its roles.
  const dismiss = async (overlay) => {
    await overlay.waitFor();
    for (let attempt = 1; attempt <= 5 && await overlay.isVisible(); attempt += 1) {
      await page.keyboard.press("Escape");
      await overlay.waitFor({ state: "hidden", timeout: 2_000 }).catch(() => {});
    }
  };

  step = "the page loads and explains how to get a token";
  await page.goto(`${origin}/graphiql`);
  await editor.waitFor();
  await page.getByText("agent-registry token user --subject me --operator").waitFor();

  step = "the token is taken";
  await page.getByLabel("Token", { exact: true }).fill(options.token);
  await page.keyboard.press("Enter");

  step = "the documentation lists the schema";
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.getByRole("link", { name: "Query", exact: true }).click();
  await docs.getByRole("link", { name: "customers", exact: true }).waitFor();
  summary.schema = true;

  step = "the query that is there at first runs";
  await execute.click();
  await result.getByText('"isOperator"', { exact: true }).waitFor();
  summary.first_query = !(await result.innerText()).includes('"errors"');

  step = "a query runs";
  await write("query { viewer { __typename } customers(first: 5) { nodes { id name } } }");
  await execute.click();
  await result.getByText('"viewer"', { exact: true }).waitFor();
  await result.getByText('"customers"', { exact: true }).waitFor();
  summary.query = !(await result.innerText()).includes('"errors"');

  step = "the subscription opens";
  const agent = JSON.stringify(options.agent);
  await write(`subscription {
  activations(agentIds: [${agent}]) {
    agent { name }
    version { number }
    reason
  }
}`);
  const opened = page.waitForEvent("websocket");
  await Promise.all([opened, execute.click()]);
  const socket = await opened;
  const subscribed = () => frames.get(socket)?.some((frame) => frame.includes('"subscribe"'));
  for (const until = Date.now() + STEP; !subscribed();) {
    if (Date.now() > until) throw new Error(`no subscribe frame: ${frames.get(socket)?.join(" ")}`);
    await page.waitForTimeout(20);
  }
  // The protocol doesn't acknowledge a subscription, so give the server time to accept it.
  await page.waitForTimeout(500);
  say({ ready: "subscription" });

  step = "the activation arrives";
  await result.getByText('"activations"', { exact: true }).waitFor({ timeout: 2 * STEP });
  await result.getByText('"reason"', { exact: true }).waitFor();
  summary.subscription = !(await result.innerText()).includes('"errors"');
  if (options.screenshot) await page.screenshot({ path: options.screenshot });
  await execute.click();

  step = "the events of the subscription are listed";
  const events = page.getByRole("region", { name: "Events of subscription" });
  await events.getByText("1 event · ended: stopped").waitFor();
  await events.getByText('{"activations"').click();
  summary.events = (await events.getByRole("listitem").count()) === 1
    && JSON.parse(await events.locator("pre").innerText()).data.activations.agent.name.length > 0;
  await events.getByRole("button", { name: "Close" }).click();

  // GraphiQL loads some styles only on opening: a dialog, a menu, completion, a lint message, a tooltip.
  step = "dialogs, menus and completion";
  await page.getByRole("button", { name: "Open settings dialog" }).click();
  await dismiss(page.getByRole("dialog"));
  await page.getByRole("button", { name: "Show History" }).click();
  await page.locator(".graphiql-history-item").getByText("WhoAmI").waitFor();
  await write("query One { viewer { __typename } } query Two { nothing }");
  // With two operations the button becomes a menu, once GraphiQL has parsed both.
  await page.locator('.graphiql-execute-button[aria-haspopup="menu"]').click();
  await dismiss(page.getByRole("menu"));
  await write("query { ");
  await page.keyboard.press("Control+Space");
  await page.locator(".CodeMirror-hints").waitFor();
  await page.keyboard.press("Escape");
  // GraphiQL saves its state half a second after the last change.
  await page.waitForTimeout(1_000);

  step = "the token is kept in this tab only";
  // The history must have entries, so that the absence of the token means something.
  summary.history = await page.evaluate(() => JSON.parse(localStorage.getItem("graphiql:queries")).queries.length >= 3);
  summary.token_in_storage = await page.evaluate(
    (token) => [...Object.entries(localStorage), ["cookie", document.cookie], ["state", JSON.stringify(history.state)]]
      .some((entry) => entry.join("=").includes(token)),
    options.token,
  );
  if (page.url().includes(options.token)) summary.token_in_url = true;
  step = null;
}

const browser = await chromium.launch({
  executablePath,
  args: [
    // Chromium can't use its sandbox as root, and the page is our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const late = setTimeout(() => {
  console.error(`graphiql.mjs: not done in ${LIMIT / 1000} s, at: ${step}`);
  browser.close().finally(() => process.exit(1));
  setTimeout(() => process.exit(1), 5_000);
}, LIMIT);

const context = await browser.newContext({
  colorScheme: options.dark ? "dark" : "light",
  viewport: { width: Number(options.width), height: 800 },
  serviceWorkers: "block",
});
const page = await context.newPage();
page.setDefaultTimeout(STEP);
page.on("console", (message) => {
  if (message.type() === "error") summary.console_errors.push(hide(message.text()));
  if (/content security policy/i.test(message.text())) summary.csp_violations.push(hide(message.text()));
});
page.on("pageerror", (error) => summary.console_errors.push(hide(error.stack ?? error)));
page.on("requestfailed", (failed) => summary.console_errors.push(hide(`${failed.url()}: ${failed.failure()?.errorText}`)));
context.on("request", (sent) => request(sent.url()));
page.on("websocket", (socket) => {
  const seen = [];
  frames.set(socket, seen);
  request(socket.url());
  for (const event of ["framesent", "framereceived"]) socket.on(event, ({ payload }) => seen.push(String(payload)));
  socket.on("socketerror", (error) => summary.console_errors.push(hide(`${socket.url()}: ${error}`)));
});
await page.exposeBinding("__violation", (_, text) => summary.csp_violations.push(hide(text)));
await page.addInitScript(() => {
  document.addEventListener("securitypolicyviolation", (event) =>
    window.__violation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
});

try {
  await run(page);
} catch (error) {
  summary.failed_at = step;
  console.error(`graphiql.mjs: at "${step}": ${hide(error.message)}`);
  if (options.screenshot) await page.screenshot({ path: options.screenshot }).catch(() => {});
}
await browser.close();
clearTimeout(late);

say(summary);
const well = summary.schema && summary.first_query && summary.query && summary.subscription && summary.events && summary.history
  && !summary.failed_at
  && !summary.console_errors.length && !summary.foreign_requests.length && !summary.csp_violations.length
  && !summary.token_in_storage && !summary.token_in_url;
process.exit(well ? 0 : 1);
