// The browser of `look`, `axe` and `scenario`: Debian's Chromium, with a new profile, and what it must not do is counted.
import { chromium } from "playwright-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "./serve.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const built = process.env.CONSOLE_OUT ?? fileURLToPath(new URL("../../assets/console", import.meta.url));

/** The service and the way in, from the environment. */
export function settings() {
  const { REGISTRY_URL: service, REGISTRY_TOKEN: token, REGISTRY_SIGN_IN: link } = process.env;
  if (!service) throw new Error("set REGISTRY_URL, and REGISTRY_TOKEN or REGISTRY_SIGN_IN");
  return { service, token, link };
}

/** A browser that is signed in. `violations` and `faults` collect what the policy refused and what pages threw. */
export async function open({ scrollBars = false, as = settings() } = {}) {
  const { service, token, link } = as;
  const server = link ? null : await serve(built, service, token);
  const base = link ? service : server.url;
  const profile = mkdtempSync(path.join(tmpdir(), "console-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    ...(scrollBars ? { ignoreDefaultArgs: ["--hide-scrollbars"] } : {}),
  });
  const violations = [];
  const faults = [];
  const requests = [];
  await context.exposeBinding("tellViolation", (_, words) => violations.push(words));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) => {
      window.tellViolation(`${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber}`);
    });
  });
  context.on("page", (page) => watch(page, faults, requests));
  for (const page of context.pages()) watch(page, faults, requests);
  if (link) {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(link);
    await page.getByRole("button").first().click();
    await page.waitForURL((url) => !url.pathname.startsWith("/auth"));
  }
  const close = async () => {
    await context.close();
    server?.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, base, violations, faults, requests, close };
}

function watch(page, faults, requests) {
  page.on("pageerror", (error) => faults.push(`${page.url()} ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (4|5)\d\d/.test(message.text())) faults.push(`${page.url()} ${message.text()}`);
  });
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/graphql" && request.method() === "POST" && !request.headers()["x-scenario"]) requests.push({ page, body: request.postData() ?? "" });
  });
}

/** Sends a document to the service, as the tests' own client. */
export async function ask(page, query, variables = {}) {
  return page.evaluate(
    async ([text, values]) => {
      const response = await fetch("/graphql", { method: "POST", headers: { "content-type": "application/json", "x-scenario": "1" }, body: JSON.stringify({ query: text, variables: values }) });
      const answer = await response.json();
      if (answer.errors) throw new Error(JSON.stringify(answer.errors));
      return answer.data;
    },
    [query, variables],
  );
}

/** Waits until a page shows its content: no skeleton, no request under way. */
export async function settle(page) {
  await page.waitForLoadState("networkidle", { timeout: 5000 }).catch(() => undefined);
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), undefined, { timeout: 8000 }).catch(() => undefined);
  await page.waitForTimeout(200);
}
