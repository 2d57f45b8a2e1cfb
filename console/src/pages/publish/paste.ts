// Tools as other systems write them: an MCP `tools/list`, OpenAI's functions, Anthropic's tools.
import type { ToolInput } from "~/__generated__/graphql";
import { parseExact } from "~/api/exact";
import { isObject, type Json } from "~/pages/version/schema";

export type ToolForm = "MCP" | "OpenAI" | "Anthropic";

export type Pasted = { ok: true; forms: ToolForm[]; tools: ToolInput[] } | { ok: false; message: string };

/** The members of a tool that the registry knows by name; others go to `additional`. */
const KNOWN = new Set(["name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons", "execution", "strict", "_meta"]);

/** The list of tools in what was pasted: the list itself, or an answer or a request that holds it. */
function listIn(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value as unknown[];
  if (!isObject(value)) return null;
  if (Array.isArray(value["tools"])) return value["tools"] as unknown[];
  if (isObject(value["result"])) return listIn(value["result"]);
  if ("name" in value || "function" in value) return [value];
  return null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A tool without the members that it doesn't have, and with unknown ones kept. */
function tool(form: ToolForm, members: Json, schema: unknown): { form: ToolForm; tool: ToolInput } {
  const known = Object.entries(members).filter(([key, value]) => KNOWN.has(key) && value !== null && value !== undefined);
  const others = Object.fromEntries(Object.entries(members).filter(([key]) => !KNOWN.has(key)));
  const all = { ...Object.fromEntries(known), ...(schema == null ? {} : { inputSchema: schema }), ...(Object.keys(others).length > 0 ? { additional: others } : {}) };
  return { form, tool: all as unknown as ToolInput };
}

function read(item: unknown): { form: ToolForm; tool: ToolInput } | string {
  if (!isObject(item)) return "isn’t an object";
  if (isObject(item["function"])) {
    const { parameters, ...rest } = item["function"];
    return isText(rest["name"]) ? tool("OpenAI", rest, parameters) : "has no name";
  }
  const { type, parameters, input_schema: snake, ...rest } = item;
  if (type === "function") return isText(rest["name"]) ? tool("OpenAI", rest, parameters) : "has no name";
  if (!isText(rest["name"])) return isText(type) ? `is built into the provider (${type}), so it has no schema` : "has no name";
  if (snake !== undefined) return tool("Anthropic", { ...rest, ...(type === undefined || type === "custom" ? {} : { type }) }, snake);
  if (parameters !== undefined && rest["inputSchema"] === undefined) return tool("OpenAI", rest, parameters);
  return tool("MCP", rest, rest["inputSchema"]);
}

/** Reads tools in any of the forms. */
export function readTools(text: string): Pasted {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (error) {
    return { ok: false, message: `This isn’t JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const list = listIn(value);
  if (!list) return { ok: false, message: "No tools found. Paste a list of tools, or an object with `tools` in it." };
  if (list.length === 0) return { ok: false, message: "The list is empty." };
  const tools: ToolInput[] = [];
  const forms = new Set<ToolForm>();
  for (const [index, item] of list.entries()) {
    const found = read(item);
    if (typeof found === "string") return { ok: false, message: `Tool ${index + 1} ${found}.` };
    tools.push(found.tool);
    forms.add(found.form);
  }
  return { ok: true, forms: [...forms], tools };
}

/** The names that are in `present` already, and would be replaced. */
export function replacedNames(tools: readonly ToolInput[], present: readonly { name: string }[]): string[] {
  return tools.map(({ name }) => name).filter((name) => present.some((one) => one.name.trim() === name));
}
