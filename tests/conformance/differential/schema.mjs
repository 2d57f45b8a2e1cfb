// The checked-in schema for graphql-js, with scalars that accept the same values as the service's
// (src/graphql/schema/scalar.rs).

import { readFileSync } from "node:fs";
import { GraphQLError, Kind, buildSchema, valueFromASTUntyped } from "graphql";

const I64_MAX = 2n ** 63n - 1n;
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$/;

const isWhole = (value) => typeof value === "number" && Number.isInteger(value);

/** Whether this is an instant of RFC 3339, on a day that exists. */
export function isInstant(value) {
  const parts = typeof value === "string" && RFC3339.exec(value);
  if (!parts) return false;
  const [year, month, day, hour, minute, second, offsetHour = 0, offsetMinute = 0] = parts.slice(1).map((part) => part && Number(part));
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= days;
  return isDay && hour < 24 && minute < 60 && second < 60 && offsetHour < 24 && offsetMinute < 60;
}

/** Whether this is a day that exists, such as `2026-11-29`. */
export function isDay(value) {
  return typeof value === "string" && value.length === 10 && isInstant(`${value}T00:00:00Z`);
}

/** The JSON values that each scalar of the service accepts. `what` is the error's message. */
const SCALARS = {
  Revision: {
    what: "a Revision must be a decimal integer",
    accepts: (value) =>
      typeof value === "string" ? /^\d+$/.test(value) && BigInt(value) <= I64_MAX : isWhole(value) && value >= 0,
    // A literal may exceed JavaScript's numbers.
    literal: (node) =>
      node.kind === Kind.INT ? BigInt(node.value) >= 0n && BigInt(node.value) <= I64_MAX
      : node.kind === Kind.STRING && SCALARS.Revision.accepts(node.value),
  },
  Cursor: {
    what: "a cursor is a string or a number",
    accepts: (value) => typeof value === "string" || typeof value === "number",
    literal: (node) => [Kind.STRING, Kind.INT, Kind.FLOAT].includes(node.kind),
  },
  DateTime: {
    what: "a DateTime must follow RFC 3339",
    accepts: isInstant,
    literal: (node) => node.kind === Kind.STRING && isInstant(node.value),
  },
  Date: {
    what: "a Date is written as 2026-11-29",
    accepts: isDay,
    literal: (node) => node.kind === Kind.STRING && isDay(node.value),
  },
  JSON: { what: "any JSON", accepts: () => true, literal: () => true },
};

/**
 * A schema of this text for graphql-js. A scalar without a rule here is an error, because graphql-js would accept
 * everything.
 */
export function schemaOf(text) {
  const schema = buildSchema(text);
  const own = Object.values(schema.getTypeMap()).filter((type) => type.astNode?.kind === Kind.SCALAR_TYPE_DEFINITION);
  for (const type of own) {
    const rule = SCALARS[type.name];
    if (!rule) throw new Error(`schema.mjs has no rule for the scalar ${type.name}`);
    const refuse = () => {
      throw new GraphQLError(`${type.name}: ${rule.what}`);
    };
    type.parseValue = (value) => (rule.accepts(value) ? value : refuse());
    type.parseLiteral = (node, variables) => (rule.literal(node) ? valueFromASTUntyped(node, variables) : refuse());
  }
  return schema;
}

/** The service's schema. */
export const schema = schemaOf(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));
