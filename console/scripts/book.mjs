// Compiles the program of docs/dashboards.md, with the types that its own configuration generates from schema.graphql.
//
//   node scripts/book.mjs                                         compiles it
//   node scripts/book.mjs --run GRAPHQL_URL TOKEN CUSTOMER_ID     compiles it and runs it until it is stopped

import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generate } from "@graphql-codegen/cli";
import typescript from "typescript";
import { build } from "vite";

const here = new URL("../", import.meta.url);
const folder = new URL(".book/", here);
const path = (name) => fileURLToPath(new URL(name, folder));

/** The blocks of TypeScript of the page: the configuration, and the program. */
function blocks() {
  const page = readFileSync(new URL("../docs/dashboards.md", here), "utf8");
  const found = [...page.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, text]) => text);
  if (found.length !== 2) throw new Error(`docs/dashboards.md has ${found.length} blocks of TypeScript, expected 2`);
  return found;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const [configuration, program] = blocks();
writeFileSync(path("codegen.ts"), configuration);
writeFileSync(path("dashboard.ts"), program);
copyFileSync(new URL("../schema.graphql", here), path("schema.graphql"));
writeFileSync(path("tsconfig.json"), JSON.stringify({
  compilerOptions: {
    strict: true, noEmit: true, target: "es2023", module: "esnext", moduleResolution: "bundler", skipLibCheck: true,
    lib: ["es2023", "dom", "dom.iterable", "esnext.asynciterable"], types: ["node"],
  },
  include: ["*.ts", "gql/*.ts"],
}));

const { outputText } = typescript.transpileModule(configuration, {
  compilerOptions: { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2023 },
});
const { default: config } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
await generate({ ...config, cwd: fileURLToPath(folder), silent: true, errorsOnly: true }, true);
execFileSync(process.execPath, [fileURLToPath(new URL("node_modules/typescript/bin/tsc", here)), "-p", path(".")], {
  stdio: "inherit",
});

const [mode, ...values] = process.argv.slice(2);
if (mode === "--run") {
  await build({
    configFile: false, root: fileURLToPath(folder), logLevel: "error",
    build: { ssr: "dashboard.ts", outDir: "built", target: "node20" },
  });
  // Node 20 has browsers' WebSocket behind this flag; later ones have it without.
  const child = spawn(process.execPath, ["--experimental-websocket", path("built/dashboard.js"), ...values], { stdio: "inherit" });
  child.on("exit", (code) => { process.exitCode = code ?? 1; });
}
