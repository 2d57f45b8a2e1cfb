// What people do with the console, in a browser, against the real service. `REGISTRY_URL` is the service, and
// `REGISTRY_TOKEN` (an operator's) or `REGISTRY_SIGN_IN` (a one-time address of one) the way in. With
// `REGISTRY_MEMBER_TOKEN` and `REGISTRY_MEMBER_SUBJECT`, a member is removed while looking. `--scroll-bars` is `yes`, `no`,
// or `both`, which needs two ways in with REGISTRY_SIGN_IN; a word after it selects steps.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ask, open, settings, settle } from "./browser.mjs";
import { pages } from "./pages.mjs";

const built = process.env.CONSOLE_OUT ?? fileURLToPath(new URL("../../assets/console", import.meta.url));
const trusted = new Set(Object.values(JSON.parse(readFileSync(path.join(built, "documents.json"), "utf8"))));
const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { "scroll-bars": { type: "string" } } });
const only = positionals[0];
const passes = { yes: [true], no: [false], both: [false, true] }[options["scroll-bars"] ?? "both"];
const results = [];

/** Runs a step; one that fails doesn't stop the next. `skip` says why a step can't run here. */
async function step(name, run, skip) {
  if (only && !name.includes(only)) return;
  if (skip) {
    results.push([name, "skipped", skip]);
    console.log(`--  ${name}: ${skip}`);
    return;
  }
  try {
    await run();
    results.push([name, "ok"]);
    console.log(`ok  ${name}`);
  } catch (error) {
    results.push([name, "failed", error]);
    console.log(`no  ${name}: ${error.message}`);
  }
}

const WRITE = "userErrors { code message }";

/** A customer with staging, and an agent of three versions: 1 serves in production, 2 in staging. */
async function setUp(page, name) {
  const made = async (query, input) => {
    const payload = Object.values(await ask(page, query, { input }))[0];
    assert.deepEqual(payload.userErrors, []);
    return payload;
  };
  const { customer } = await made(`mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id name } ${WRITE} } }`, { name });
  await made(`mutation ($input: CreateEnvironmentInput!) { createEnvironment(input: $input) { environment { id } ${WRITE} } }`, { customerId: customer.id, key: "staging", name: "Staging" });
  const { agent } = await made(`mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } ${WRITE} } }`, { customerId: customer.id, name: "Permit helper" });
  const versions = [];
  for (const prompt of ["Help.\n", "Help, and cite the law.\n", "Help, and cite the code.\n"]) {
    const { version } = await made(`mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { version { id number } ${WRITE} } }`, { agentId: agent.id, modelName: "gpt-4-turbo", systemPrompt: prompt, message: prompt.trim() });
    versions.push(version.id);
  }
  const activate = (number, environment) => made(`mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) { activation { id } ${WRITE} } }`, { agentId: agent.id, environment, versionId: versions[number - 1] });
  await activate(1, "production");
  await activate(2, "staging");
  const status = (value) => made(`mutation ($input: SetBillingStatusInput!) { setBillingStatus(input: $input) { customer { id } ${WRITE} } }`, { customerId: customer.id, status: value });
  return { customer, agent, versions, activate, made, status, at: `/c/${customer.id}`, own: `/c/${customer.id}/agents/${agent.id}` };
}

/** The button that acts, in the dialog that is open. */
const inDialog = (page, name) => page.getByRole("dialog").getByRole("button", { name });

async function scenarios({ scrollBars }) {
  const { context, base, violations, faults, requests, close } = await open({ scrollBars });
  const how = scrollBars ? " (with scroll bars)" : "";
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(`${base}/settings`);
    await settle(page);
    const world = await setUp(page, `Scenario ${new Date().toISOString()}`);
    const { customer, agent, own, at } = world;
    // The tests' own documents aren't the console's.
    requests.length = 0;
    const go = async (address, shown = page) => {
      await shown.goto(base + address);
      await settle(shown);
    };

    await step(`the overview says what serves${how}`, async () => {
      await go(at);
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await page.getByText(/activated/).first().waitFor();
      assert.equal(await page.title(), "Overview · Agent Registry");
    });

    await step(`a conflict in the middle shows the new plan, and the button is dead for a second${how}`, async () => {
      await go(own);
      const row = page.locator("main [data-rows] tr, main [data-row]").filter({ hasText: "cite the code" }).first();
      await row.getByRole("button", { name: /Activate/ }).first().click();
      const menu = page.getByRole("menuitem", { name: /production/ });
      if (await menu.isVisible().catch(() => false)) await menu.click();
      await inDialog(page, /^Serve 3 in production/).waitFor();
      await world.activate(2, "production");
      await page.getByRole("dialog").getByText("This is the plan from 2 to 3").waitFor({ timeout: 15_000 });
      const button = inDialog(page, /^Serve 3 in production/);
      await page.waitForTimeout(1300);
      await button.click();
      await page.getByRole("dialog").getByRole("heading", { name: /production serves 3/ }).waitFor({ timeout: 15_000 });
    });

    await step(`rolling back takes two clicks, and says to what${how}`, async () => {
      await go(own);
      await page.getByRole("button", { name: /Roll back.*2/ }).first().click();
      await inDialog(page, /Roll back production to 2/).click();
      await page.getByRole("dialog").getByRole("heading", { name: /production serves 2/ }).waitFor({ timeout: 15_000 });
    });

    await step(`promoting takes what serves in staging${how}`, async () => {
      await world.activate(3, "staging");
      await go(own);
      await page.getByRole("button", { name: /Promote 3 to production/ }).first().click();
      await inDialog(page, /Serve 3 in production/).click();
      await page.getByRole("dialog").getByRole("heading", { name: /production serves 3/ }).waitFor({ timeout: 15_000 });
    });

    await step(`publishing makes the next version from the one that was looked at${how}`, async () => {
      await go(`${own}/publish?from=3`);
      await page.getByRole("button", { name: /Publish version 4/ }).first().waitFor();
      const prompt = page.locator("[role=textbox][aria-label*=rompt], textarea[aria-label*=rompt]").first();
      await prompt.click();
      await page.keyboard.press("Control+End");
      await page.keyboard.type("Say what it costs.");
      await page.getByRole("button", { name: /^Publish version 4$/ }).first().click();
      await page.waitForURL(/versions\/4|agents\/[^/]+(\?|$)/, { timeout: 15_000 });
      const { agent: found } = await ask(page, "query ($id: ID!) { agent(id: $id) { version(number: 4) { systemPrompt } } }", { id: agent.id });
      requests.length = 0;
      assert.match(found.version.systemPrompt, /Say what it costs\./);
    });

    await step(`another window sees it live${how}`, async () => {
      const other = await context.newPage();
      await go(at, other);
      await world.activate(1, "production");
      await other.getByText(/newer change/).waitFor({ timeout: 10_000 });
      await other.close();
    });

    await step(`a script in a name is text${how}`, async () => {
      const name = '<img src=x onerror="document.title=1">';
      await world.made(`mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } ${WRITE} } }`, { customerId: customer.id, name });
      await go(`${at}/agents`);
      await page.getByText(name).first().waitFor();
      assert.equal(await page.locator("main img").count(), 0);
    });

    await step(`a suspended customer is read only, with the reason on each button${how}`, async () => {
      await world.status("SUSPENDED");
      await go(own);
      await page.getByText(/is suspended/).first().waitFor();
      await world.status("ACTIVE");
      await page.getByText(/is suspended: its agents/).waitFor({ state: "detached", timeout: 10_000 });
    });

    await step(`the keyboard alone gets from page to page${how}`, async () => {
      await go(at);
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the page");
      await page.keyboard.press("g");
      await page.keyboard.press("a");
      await page.waitForURL(/\/agents$/);
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("combobox").fill("Permit");
      await page.getByRole("option", { name: /Permit helper/ }).first().waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL(new RegExp(agent.id));
    });

    await step(`a page waits for at most 3 answers until it shows content${how}`, async () => {
      process.env.REGISTRY_CUSTOMER = customer.id;
      const list = await pages(page);
      const slow = [];
      for (const { name, address, act } of list) {
        if (act) continue;
        const count = async () => {
          const shown = await context.newPage();
          await shown.addInitScript(watchFirstContent);
          await go(address, shown);
          const asked = await shown.evaluate(() => performance.getEntriesByType("resource").filter(({ name: from, responseEnd, initiatorType }) => initiatorType === "fetch" && from.endsWith("/graphql") && responseEnd < (window.firstContent ?? Infinity)).length);
          // `/` leads to another page, which is counted by itself.
          const isThere = shown.url() === base + address;
          await shown.close();
          return isThere ? asked : 0;
        };
        // On a busy machine, an answer that isn't waited for may be there before the browser has drawn: the second count tells.
        const asked = (await count()) > 3 ? await count() : 0;
        if (asked > 3) slow.push(`${name}: ${asked}`);
      }
      assert.deepEqual(slow, []);
      requests.length = 0;
    });

    await step(`a session that ends leaves what was typed, and asks to sign in in a new tab${how}`, async () => {
      const shown = await context.newPage();
      await go("/settings", shown);
      await shown.getByLabel("Name", { exact: true }).fill("Ada Typed");
      await shown.route("**/graphql", (route) => route.fulfill({ status: 401, contentType: "application/json", body: '{"errors":[{"message":"No session.","extensions":{"code":"UNAUTHENTICATED"}}]}' }));
      await shown.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await shown.keyboard.press("Control+k");
      await shown.getByRole("dialog").getByRole("combobox").fill("Permit");
      await shown.waitForTimeout(1000);
      await shown.keyboard.press("Escape");
      const link = shown.getByRole("link", { name: "Sign in in a new tab" });
      await link.waitFor({ timeout: 10_000 });
      assert.equal(await link.getAttribute("target"), "_blank");
      assert.equal(await shown.getByLabel("Name", { exact: true }).inputValue(), "Ada Typed");
      await shown.unroute("**/graphql");
      await shown.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await link.waitFor({ state: "detached", timeout: 10_000 });
      assert.equal(await shown.getByLabel("Name", { exact: true }).inputValue(), "Ada Typed");
      await shown.close();
    });

    await step(`a lost socket is told, with its time${how}`, async () => {
      const shown = await context.newPage();
      let isDown = false;
      await shown.routeWebSocket("**/graphql", (socket) => {
        if (isDown) void socket.close({ code: 1011 });
        else {
          const server = socket.connectToServer();
          shown.once("close", () => server.close());
          shown.cut = () => socket.close({ code: 1011 });
        }
      });
      await go(at, shown);
      await shown.getByText("Live", { exact: true }).waitFor();
      isDown = true;
      await shown.cut();
      await shown.getByText(/Not live since \d\d:\d\d · what you see may be old/).waitFor({ timeout: 15_000 });
      await shown.close();
    });

    await step(`every document is one of documents.json${how}`, async () => {
      for (const address of [at, `${at}/agents`, own, `${at}/audit`, `${at}/people`, `${at}/keys`, "/settings", "/platform/customers"]) await go(address);
      const foreign = requests.map(({ body }) => JSON.parse(body).query).filter((text) => !trusted.has(text));
      assert.ok(requests.length > 8);
      assert.deepEqual([...new Set(foreign)], []);
    });

    await memberRemoved(world, page, how);

    await step(
      `signing out ends the session${how}`,
      async () => {
        await go("/settings");
        await page.getByRole("button", { name: "Sign out", exact: true }).click();
        await page.getByText("You are signed out").waitFor();
        await page.goto(`${base}${own}`);
        await page.getByRole("link", { name: "Sign in" }).waitFor();
        assert.match(page.url(), /\/sign-in\?next=/);
      },
      !settings().link || scrollBars !== passes.at(-1) ? "needs REGISTRY_SIGN_IN; runs last" : undefined,
    );

    await step(`nothing broke the policy, and no page threw${how}`, () => {
      assert.deepEqual(violations, []);
      assert.deepEqual(faults, []);
      return Promise.resolve();
    });
  } finally {
    await close();
  }
}

/**
 * Runs in the page: the time at which `main` first shows more than its heading and its skeletons. An observer hears of it
 * before effects run, which ask for what the content needs besides.
 */
function watchFirstContent() {
  const observer = new MutationObserver(() => {
    const parts = [...document.querySelectorAll("main *")].filter((part) => part.children.length === 0 && part.textContent?.trim() && !part.closest("header, [aria-busy=true]"));
    if (!parts.some((part) => part.closest("[data-rows], dl, ul, ol, table, form, pre, h2, p"))) return;
    window.firstContent = performance.now();
    observer.disconnect();
  });
  observer.observe(document, { childList: true, subtree: true });
}

async function memberRemoved(world, page, how) {
  const { REGISTRY_MEMBER_TOKEN: token, REGISTRY_MEMBER_SUBJECT: subject } = process.env;
  await step(
    `a member who is removed while looking sees nothing more${how}`,
    async () => {
      const { membership } = await world.made(`mutation ($input: AddMemberInput!) { addMember(input: $input) { membership { user { id } } ${WRITE} } }`, { customerId: world.customer.id, subject, role: "EDITOR" });
      const member = await open({ as: { service: settings().service, token } });
      try {
        const theirs = member.context.pages()[0] ?? (await member.context.newPage());
        await theirs.goto(`${member.base}${world.at}`);
        await theirs.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
        await theirs.getByText("Live", { exact: true }).waitFor();
        await world.made(`mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userId ${WRITE} } }`, { customerId: world.customer.id, userId: membership.user.id });
        await theirs.getByText("There is no such customer").waitFor({ timeout: 15_000 });
      } finally {
        await member.close();
      }
    },
    token && subject ? undefined : "needs REGISTRY_MEMBER_TOKEN and REGISTRY_MEMBER_SUBJECT",
  );
}

for (const scrollBars of passes) await scenarios({ scrollBars });
const failed = results.filter(([, outcome]) => outcome === "failed");
for (const [name, , error] of failed) console.error(`\n${name}\n${error.stack}`);
console.log(`${results.length - failed.length} of ${results.length} held`);
process.exitCode = failed.length > 0 ? 1 : 0;
