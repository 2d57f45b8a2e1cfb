// What differs between two contents, but the prompt's lines: for "Changes from 15" while typing.
import type { ToolInput, VersionContentInput } from "~/__generated__/graphql";
import { isObject } from "~/pages/version/schema";

export interface ContentChange {
  kind: "added" | "removed" | "changed";
  /** What differs: "Model", "temperature", "Tool find_section". */
  what: string;
  before?: string;
  after?: string;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function members(what: (key: string) => string, before: unknown, after: unknown): ContentChange[] {
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  const changes: ContentChange[] = [];
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [one, other] = [old[key], now[key]];
    if (one === undefined) changes.push({ kind: "added", what: what(key), after: text(other) });
    else if (other === undefined) changes.push({ kind: "removed", what: what(key), before: text(one) });
    else if (JSON.stringify(one) !== JSON.stringify(other)) changes.push({ kind: "changed", what: what(key), before: text(one), after: text(other) });
  }
  return changes;
}

function tools(before: readonly ToolInput[], after: readonly ToolInput[]): ContentChange[] {
  const old = new Map(before.map((tool) => [tool.name, tool]));
  const now = new Map(after.map((tool) => [tool.name, tool]));
  const changes: ContentChange[] = [];
  for (const [name, tool] of now) {
    const last = old.get(name);
    if (!last) changes.push({ kind: "added", what: `Tool ${name}` });
    else changes.push(...members((key) => `${name}: ${key}`, last, tool));
  }
  for (const name of old.keys()) if (!now.has(name)) changes.push({ kind: "removed", what: `Tool ${name}` });
  const kept = (list: readonly ToolInput[], other: ReadonlyMap<string, ToolInput>) => list.map(({ name }) => name).filter((name) => other.has(name));
  if (kept(before, now).join("\n") !== kept(after, old).join("\n")) changes.push({ kind: "changed", what: "The tools’ order" });
  return changes;
}

/** All that differs but the prompt. */
export function changesBetween(before: VersionContentInput, after: VersionContentInput): ContentChange[] {
  return [
    ...(before.modelName === after.modelName ? [] : [{ kind: "changed" as const, what: "Model", before: before.modelName, after: after.modelName }]),
    ...members((key) => key, before.modelParameters, after.modelParameters),
    ...tools(before.tools ?? [], after.tools ?? []),
    ...members((key) => `Extension ${key}`, before.extensions, after.extensions),
  ];
}

/** The names in `{{name}}`, in the order of their first use: as the service finds them. */
export function variablesOf(prompt: string): string[] {
  const names = new Set<string>();
  for (const part of prompt.split("{{").slice(1)) {
    const inside = part.replace(/^\{+/, "");
    const end = inside.indexOf("}}");
    const name = end < 0 ? "" : inside.slice(0, end).trim();
    if (/^[\p{Alphabetic}_][\p{Alphabetic}\p{N}_.-]*$/u.test(name)) names.add(name);
  }
  return [...names];
}
