// axe on every page in both themes, 400 and 1440 px wide: no violation of WCAG 2.2 AA and of the best practices. `--short`
// looks at each page twice only: light and wide, dark and narrow. Names of pages after it, with commas, select pages.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { open, settle } from "./browser.mjs";
import { pages } from "./pages.mjs";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { short: { type: "boolean" } } });
const wanted = positionals[0]?.split(",");
const all = [1440, 400].flatMap((width) => ["light", "dark"].map((theme) => [width, theme]));
const looks = options.short ? [all[0], all[3]] : all;
const { context, base, close } = await open();
let [found, count] = [0, 0];
try {
  const first = context.pages()[0] ?? (await context.newPage());
  await first.goto(`${base}/sign-in`);
  const list = (await pages(first)).filter(({ name }) => !wanted || wanted.includes(name));
  const page = await context.newPage();
  for (const { name, address, act } of list) {
    for (const [width, theme] of looks) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.goto(base + address);
      await settle(page);
      await act?.(page);
      if (act) await page.waitForTimeout(600);
      // Evaluated by the debugger, which the page's policy doesn't concern.
      await page.evaluate(source);
      const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const { id, help, nodes } of violations) {
        found += 1;
        console.error(`${name} ${width} ${theme}: ${id}: ${help}\n${nodes.slice(0, 3).map(({ html, failureSummary }) => `    ${html.slice(0, 200)}\n    ${failureSummary?.split("\n").slice(1, 2).join("")}`).join("\n")}`);
      }
    }
    count += 1;
    console.log(name);
  }
} finally {
  await close();
}
console.log(found === 0 ? `axe found nothing on ${count} pages` : `axe found ${found}`);
process.exitCode = found > 0 ? 1 : 0;
