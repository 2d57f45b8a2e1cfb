// A tool's input schema as rows, where it is flat: an object of properties without schemas inside of them.

import { parseExact } from "~/api/exact";

export type Json = Record<string, unknown>;

export interface SchemaRow {
  name: string;
  /** Empty where any type will do. */
  type: string;
  isRequired: boolean;
  description: string;
  /** The accepted values, as JSON texts separated by commas; empty where all are. */
  values: string;
  /** What the rows don't show, such as `minimum`. It stays. */
  rest: Json;
}

export const TYPES = ["string", "integer", "number", "boolean", "array", "object"] as const;

const NESTING = ["$ref", "oneOf", "anyOf", "allOf", "not", "if", "then", "else", "properties", "patternProperties", "$defs", "definitions"];
const TOP = new Set(["type", "properties", "required"]);

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("rawJSON" in value);
}

/** The rows of a schema; null if rows can't show it. */
export function rowsOf(schema: unknown): SchemaRow[] | null {
  if (!isObject(schema) || schema["type"] !== "object" || NESTING.some((key) => key !== "properties" && key in schema)) return null;
  const properties = schema["properties"] ?? {};
  const required = schema["required"] ?? [];
  if (!isObject(properties) || !Array.isArray(required)) return null;
  const rows: SchemaRow[] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (!isObject(property) || NESTING.some((key) => key in property)) return null;
    const { type = "", description = "", enum: values, ...rest } = property;
    if (typeof type !== "string" || typeof description !== "string" || (values !== undefined && !Array.isArray(values))) return null;
    rows.push({ name, type, isRequired: required.includes(name), description, values: (values ?? []).map((value) => JSON.stringify(value)).join(", "), rest });
  }
  // A required name without a property can't be shown as a row.
  return required.every((name) => typeof name === "string" && Object.hasOwn(properties, name)) ? rows : null;
}

/** The values of a row, as JSON: words without quotes count as strings. Null if the text can't be read. */
export function valuesOf(text: string): unknown[] | null {
  if (text.trim() === "") return [];
  try {
    return parseExact(`[${text}]`) as unknown[];
  } catch {
    const words = text.split(",").map((word) => word.trim());
    return words.every((word) => /^[^"[\]{}]+$/.test(word)) ? words : null;
  }
}

/** The schema with these rows: what rows don't show stays, and so does the order. */
export function withRows(schema: Json, rows: readonly SchemaRow[]): Json {
  const properties: Json = {};
  for (const { name, type, description, values, rest } of rows) {
    const accepted = valuesOf(values) ?? [];
    properties[name] = { ...(type ? { type } : {}), ...(description ? { description } : {}), ...(accepted.length > 0 ? { enum: accepted } : {}), ...rest };
  }
  const required = rows.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const others = Object.fromEntries(Object.entries(schema).filter(([key]) => !TOP.has(key)));
  return { type: "object", properties, ...(required.length > 0 || "required" in schema ? { required } : {}), ...others };
}

const BOUNDS: [key: string, words: string][] = [
  ["minimum", "from"],
  ["maximum", "to"],
  ["minLength", "at least characters:"],
  ["maxLength", "at most characters:"],
  ["pattern", "like"],
  ["format", "as"],
  ["default", "else"],
];

/** What else a row says: "from 1 to 20". */
export function boundsOf(rest: Json): string {
  const known = BOUNDS.filter(([key]) => key in rest).map(([key, words]) => `${words} ${typeof rest[key] === "string" ? rest[key] : JSON.stringify(rest[key])}`);
  const others = Object.keys(rest).filter((key) => !BOUNDS.some(([one]) => one === key));
  return [...known, ...others.map((key) => `${key}: ${JSON.stringify(rest[key])}`)].join(" · ");
}
