// Finds every GraphQL document in the sources, and makes of each operation the text that is sent: with its fragments,
// without ignored characters. The Vite plugin replaces `graphql(`…`)` by that text, and writes all of them to
// `documents.json`, which the service trusts.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { Kind, parse, print, stripIgnoredCharacters, visit } from "graphql";

const CALL = /\bgraphql\(\s*(?:\/\* GraphQL \*\/\s*)?`([^`]*)`,?\s*\)/g;

/** Each file below `folder` that can hold a document. */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "__generated__" ? [] : sources(file);
      return /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name) ? [file] : [];
    })
    .sort();
}

/** The texts in the `graphql(…)` calls of a module. */
export function calls(code) {
  return [...code.matchAll(CALL)].map((match) => match[1]);
}

/** Every fragment of the sources by name; two fragments of one name are an error. */
export function fragmentsOf(folder) {
  const fragments = new Map();
  for (const file of sources(folder)) {
    for (const text of calls(readFileSync(file, "utf8"))) {
      for (const definition of parse(text).definitions) {
        if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
        const name = definition.name.value;
        if (fragments.has(name)) throw new Error(`two fragments are called ${name}; the second is in ${file}`);
        fragments.set(name, definition);
      }
    }
  }
  return fragments;
}

/** The text to send for the document `text`: its operation and every fragment that it uses; empty without an operation. */
export function operationText(text, fragments) {
  const document = parse(text);
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (operations.length === 0) return "";
  if (operations.length > 1) throw new Error("a document has more than one operation");
  const used = new Map();
  const collect = (node) =>
    visit(node, {
      FragmentSpread(spread) {
        const name = spread.name.value;
        const fragment = fragments.get(name);
        if (!fragment) throw new Error(`no fragment is called ${name}`);
        if (used.has(name)) return;
        used.set(name, fragment);
        collect(fragment);
      },
    });
  collect(operations[0]);
  const definitions = [operations[0], ...[...used.keys()].sort().map((name) => used.get(name))];
  return stripIgnoredCharacters(print({ kind: Kind.DOCUMENT, definitions }));
}

/** Every operation of the sources, in the order of their names. */
export function operationsOf(folder) {
  const fragments = fragmentsOf(folder);
  const found = new Map();
  for (const file of sources(folder)) {
    for (const text of calls(readFileSync(file, "utf8"))) {
      const operation = parse(text).definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
      if (!operation) continue;
      const name = operation.name?.value;
      if (!name) throw new Error(`an operation in ${file} has no name`);
      if (found.has(name)) throw new Error(`two operations are called ${name}; the second is in ${file}`);
      found.set(name, { name, file, text: operationText(text, fragments) });
    }
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What the service trusts: an object from each document's SHA-256, in hex, to its text. */
export function documentsJson(folder) {
  const entries = operationsOf(folder).map(({ text }) => [createHash("sha256").update(text).digest("hex"), text]);
  return JSON.stringify(Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1))), null, 1) + "\n";
}

/** Replaces each `graphql(…)` call by the text that is sent, and writes `documents.json`. */
export function documentsPlugin(folder) {
  let fragments = new Map();
  return {
    name: "documents",
    enforce: "pre",
    buildStart() {
      fragments = fragmentsOf(folder);
    },
    transform(code, id) {
      if (!id.startsWith(folder) || !/\.tsx?$/.test(id) || !code.includes("graphql(")) return null;
      if (this.environment?.mode === "dev" && calls(code).some((text) => text.includes("fragment "))) fragments = fragmentsOf(folder);
      const replaced = code.replace(CALL, (_, text) => JSON.stringify(operationText(text, fragments)));
      return replaced === code ? null : { code: replaced, map: null };
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "documents.json", source: documentsJson(folder) });
    },
  };
}
