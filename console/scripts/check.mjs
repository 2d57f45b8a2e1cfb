// Everything that a commit of the console is held to: `npm run check`.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { parse, validate } from "graphql";
import { files } from "./compress.mjs";
import { operationsOf } from "./documents.mjs";
import { schema } from "./schema.mjs";

const at = (place) => fileURLToPath(new URL(place, import.meta.url));
const committed = at("../../assets/console");
/** Kilobytes of 1,000 bytes, gzipped, of everything that the first page loads. */
const BUDGET = 200_000;

const failures = [];

function run(words, command, ...parameters) {
  const { status, stdout, stderr } = spawnSync(at(`../node_modules/.bin/${command}`), parameters, { cwd: at(".."), encoding: "utf8" });
  if (status !== 0) failures.push(`${words}:\n${stdout}${stderr}`);
  console.log(`${status === 0 ? "ok " : "no "} ${words}`);
}

function hold(words, problem) {
  if (problem) failures.push(`${words}: ${problem}`);
  console.log(`${problem ? "no " : "ok "} ${words}`);
}

/** Each file of a folder with the hash of its bytes. */
function hashes(folder) {
  const list = existsSync(folder) ? files(folder) : [];
  return new Map(list.map((file) => [path.relative(folder, file), createHash("sha256").update(readFileSync(file)).digest("hex")]));
}

/** The bytes of what the page loads before any code runs: the page, its scripts, what these import, its styles. */
function firstLoad(folder) {
  const page = readFileSync(path.join(folder, "index.html"), "utf8");
  const names = [...page.matchAll(/(?:src|href)="\/console\/([^"]+\.(?:js|css))"/g)].map(([, name]) => name);
  const seen = new Set();
  const add = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    if (!name.endsWith(".js")) return;
    const code = readFileSync(path.join(folder, name), "utf8");
    for (const [, imported] of code.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) add(`assets/${imported}`);
  };
  names.forEach(add);
  const size = [...seen].reduce((sum, name) => sum + gzipSync(readFileSync(path.join(folder, name)), { level: 9 }).length, gzipSync(page).length);
  return { names: [...seen], size };
}

function documentErrors() {
  const held = schema();
  return operationsOf(at("../src")).flatMap(({ name, text }) => validate(held, parse(text)).map(({ message }) => `${name}: ${message}`));
}

const generated = hashes(at("../src/__generated__"));
run("codegen runs", "graphql-codegen", "--config", "codegen.ts");
const anew = hashes(at("../src/__generated__"));
const stale = [...anew].filter(([name, hash]) => generated.get(name) !== hash).map(([name]) => name);
hold("generated types are up to date", stale.length > 0 && `${stale.join(", ")} changed: commit them`);
hold("documents are valid against the schema", documentErrors().join("; "));
run("types hold", "tsc");
run("lints hold", "eslint", ".", "--max-warnings", "0");
run("unit tests pass", "vitest", "run");

const folder = mkdtempSync(path.join(tmpdir(), "console-build-"));
try {
  process.env.CONSOLE_OUT = folder;
  run("it builds", "vite", "build", "--logLevel", "warn");
  const [fresh, old] = [hashes(folder), hashes(committed)];
  const differing = [...new Set([...fresh.keys(), ...old.keys()])].filter((name) => fresh.get(name) !== old.get(name));
  hold("the committed files are what the sources build", differing.length > 0 && `${differing.slice(0, 5).join(", ")}${differing.length > 5 ? ` and ${differing.length - 5} more` : ""}: run \`npm run build\` and commit assets/console`);
  const { size, names } = firstLoad(folder);
  hold(`the first load is ${(size / 1000).toFixed(1)} of ${BUDGET / 1000} kB gzipped`, size > BUDGET && names.join(", "));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const failure of failures) console.error(`\n${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
