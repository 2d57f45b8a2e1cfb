// Screenshots: `npm run look -- <folder> [names]`, of every page in both themes, 400 and 1440 px wide.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { open, settle } from "./browser.mjs";
import { pages } from "./pages.mjs";

const [folder, names] = process.argv.slice(2);
if (!folder) throw new Error("name the folder for the screenshots");
mkdirSync(folder, { recursive: true });
const wanted = names?.split(",");
const { context, base, violations, faults, close } = await open();
try {
  const first = context.pages()[0] ?? (await context.newPage());
  await first.goto(`${base}/sign-in`);
  const list = (await pages(first)).filter(({ name }) => !wanted || wanted.includes(name));
  const widths = process.env.WIDTHS?.split(",").map(Number) ?? [400, 1440];
  const themes = process.env.THEMES?.split(",") ?? ["light", "dark"];
  const page = await context.newPage();
  for (const { name, address, act } of list) {
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 640 ? 860 : 900 });
      for (const theme of themes) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await page.goto(base + address);
        await settle(page);
        await act?.(page);
        if (act) await page.waitForTimeout(600);
        await page.screenshot({ path: path.join(folder, `${name}-${width}-${theme}.png`) });
      }
    }
    console.log(name);
  }
} finally {
  await close();
}
for (const words of [...violations, ...faults]) console.error(words);
process.exitCode = violations.length + faults.length > 0 ? 1 : 0;
