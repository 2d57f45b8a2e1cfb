// A version while it is written: texts as they were typed, and what they are as an input.
import type { ToolInput, VersionContentFragment, VersionContentInput } from "~/__generated__/graphql";
import { parseExact } from "~/api/exact";
import { toolInput } from "~/pages/version/content";
import { isObject, rowsOf, valuesOf, withRows, type Json, type SchemaRow } from "~/pages/version/schema";
import type { LineError } from "~/ui/editor";
import type { FieldError } from "~/ui/Form";

/** A tool while it is written. Its schema is rows, or a text where rows can't show it. */
export interface ToolDraft {
  /** Identifies the tool while it is renamed and moved. */
  key: string;
  name: string;
  description: string;
  mode: "rows" | "json";
  /** The schema that the rows are of: what they don't show stays. */
  base: Json;
  rows: SchemaRow[];
  text: string;
  /** All other members as a JSON object; empty if there are none. */
  more: string;
}

export interface Draft {
  modelName: string;
  systemPrompt: string;
  /** JSON objects, as typed; empty for none. */
  parameters: string;
  extensions: string;
  tools: ToolDraft[];
}

let last = 0;

/** A key for a tool of this page. */
function newKey(): string {
  last += 1;
  return `tool-${last}`;
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "";
}

/** The text of a JSON object; nothing for an empty one. */
function objectText(value: unknown): string {
  return isObject(value) && Object.keys(value).length > 0 ? pretty(value) : "";
}

export function toolDraft({ name, description, inputSchema, ...more }: ToolInput): ToolDraft {
  const rows = rowsOf(inputSchema ?? { type: "object", properties: {} });
  const base = isObject(inputSchema) ? inputSchema : {};
  return {
    key: newKey(),
    name,
    description: description ?? "",
    mode: rows ? "rows" : "json",
    base,
    rows: rows ?? [],
    text: inputSchema == null ? "" : pretty(inputSchema),
    more: objectText(more),
  };
}

/** What the page starts from. */
export function draftOf(version: VersionContentFragment | null): Draft {
  if (!version) return { modelName: "", systemPrompt: "", parameters: "", extensions: "", tools: [] };
  const { modelName, systemPrompt, modelParameters, extensions, tools } = version;
  return { modelName, systemPrompt, parameters: objectText(modelParameters), extensions: objectText(extensions), tools: tools.map((tool) => toolDraft(toolInput(tool))) };
}

/** Why a text isn't JSON, by line; empty if it is, or if there is none. */
export function jsonErrors(text: string): LineError[] {
  if (text.trim() === "") return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ line: lineOf(message, text), message: `This isn’t JSON: ${message}` }];
  }
}

/** The line that a browser's message names: each has its own words for it. */
export function lineOf(message: string, text: string): number {
  const line = /line (\d+)/.exec(message)?.[1];
  if (line) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  return position ? text.slice(0, Number(position)).split("\n").length : text.split("\n").length;
}

/** Reads a text as an object. Adds to `problems` where it isn't one. */
function readObject(text: string, path: string[], problems: FieldError[]): Json {
  if (text.trim() === "") return {};
  const [wrong] = jsonErrors(text);
  if (wrong) {
    problems.push({ path, message: wrong.message });
    return {};
  }
  const value = parseExact(text);
  if (isObject(value)) return value;
  problems.push({ path, message: "This must be a JSON object, in braces." });
  return {};
}

/** The schema of a tool; undefined for a tool without one. */
export function schemaOf({ mode, base, rows, text }: ToolDraft, path: string[], problems: FieldError[]): Json | undefined {
  if (mode === "json") return text.trim() === "" ? undefined : readObject(text, path, problems);
  const names = rows.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (names.includes("")) problems.push({ path, message: "A parameter has no name." });
  else if (twice !== undefined) problems.push({ path, message: `Two parameters are called ${twice}.` });
  const unread = rows.find(({ values }) => valuesOf(values) === null);
  if (unread) problems.push({ path, message: `The values of ${unread.name} can’t be read: write them as "one", "two".` });
  // A tool without a schema stays without one until it has a row.
  return rows.length === 0 && Object.keys(base).length === 0 ? undefined : withRows(base, rows);
}

const ORDER = ["name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons", "execution", "strict", "_meta", "additional"];

/** A tool with its members in one order, so that equal tools have equal texts. */
export function ordered(tool: ToolInput): ToolInput {
  const members = Object.entries(tool).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(members.sort(([one], [other]) => ORDER.indexOf(one) - ORDER.indexOf(other))) as unknown as ToolInput;
}

/** The draft as an input, and all that is wrong with it. */
export function inputOf(draft: Draft): { content: Required<VersionContentInput>; problems: FieldError[] } {
  const problems: FieldError[] = [];
  const modelName = draft.modelName.trim();
  if (modelName === "") problems.push({ path: ["modelName"], message: "The model has no name." });
  const modelParameters = readObject(draft.parameters, ["modelParameters"], problems);
  const tools = draft.tools.map((tool, index): ToolInput => {
    const path = ["tools", String(index)];
    const name = tool.name.trim();
    if (name === "") problems.push({ path: [...path, "name"], message: `Tool ${index + 1} has no name.` });
    else if (draft.tools.findIndex((other) => other.name.trim() === name) !== index) problems.push({ path: [...path, "name"], message: `Two tools are called ${name}.` });
    const inputSchema = schemaOf(tool, [...path, "inputSchema"], problems);
    const more = readObject(tool.more, [...path, "more"], problems);
    return ordered({ ...more, name, ...(tool.description ? { description: tool.description } : {}), ...(inputSchema ? { inputSchema } : {}) });
  });
  const extensions = readObject(draft.extensions, ["extensions"], problems);
  return { content: { modelName, systemPrompt: draft.systemPrompt, modelParameters, tools, extensions }, problems };
}

/** Where an error of the service stands on this page: the nearest field that there is. */
export function fieldOf(error: FieldError): FieldError {
  const path = error.path?.length ? [...error.path] : (error.field?.split(".") ?? []);
  const [first, index, member] = path;
  if (first === "modelParameters" || first === "extensions") return { ...error, path: [first] };
  if (first === "tools" && index !== undefined) {
    const field = member === undefined || member === "name" ? "name" : member === "description" || member === "inputSchema" ? member : "more";
    return { ...error, path: ["tools", index, field] };
  }
  return { ...error, path };
}

/** The parameters with one of them set, or without it for undefined; null if the text isn't an object. */
export function withParameter(text: string, key: string, value: unknown): string | null {
  const problems: FieldError[] = [];
  const object = readObject(text, [], problems);
  if (problems.length > 0) return null;
  const next = { ...object };
  if (value === undefined) delete next[key];
  else next[key] = value;
  return objectText(next);
}

/** A parameter's value; undefined if there is none, or the text isn't an object. */
export function parameterOf(text: string, key: string): unknown {
  return readObject(text, [], [])[key];
}
