import type { ApiKeyScope } from "~/__generated__/graphql";

/** The scopes with what each lets a program do. */
export const SCOPES: { value: ApiKeyScope; hint: string }[] = [
  { value: "AGENTS_READ", hint: "Agents, versions and activations, and export them as a file" },
  { value: "AGENTS_WRITE", hint: "Create, change, archive and restore agents" },
  { value: "VERSIONS_PUBLISH", hint: "Publish versions of every agent" },
  { value: "VERSIONS_ACTIVATE", hint: "Activate, promote, roll back and stop; with the two above, import a file" },
  { value: "CONFIGS_READ", hint: "What is served: prompts, parameters, tools" },
  { value: "ACTIVATIONS_WATCH", hint: "Be told of activations; with the one above, of configurations too, as a gateway is" },
  { value: "CHANGES_READ", hint: "The audit, and who did something" },
];

/** These reach every environment, so they don't go with a choice of some. */
const EVERYWHERE: ApiKeyScope[] = ["AGENTS_WRITE", "CHANGES_READ"];

/** Why a scope can't be had with a choice of environments. */
export function whyNotScope(scope: ApiKeyScope, environments: readonly string[] | null): string | null {
  return environments !== null && EVERYWHERE.includes(scope) ? "Reaches every environment, so it can’t be limited to some" : null;
}

/** Why a key can't be limited to environments with these scopes. */
export function whyEverywhere(scopes: readonly ApiKeyScope[]): string | null {
  return scopes.some((one) => EVERYWHERE.includes(one)) ? "Not with “Write agents” and “Read the audit”, which reach every environment" : null;
}

/** Usual sets of scopes. */
export const PRESETS: { label: string; scopes: ApiKeyScope[] }[] = [
  { label: "A gateway", scopes: ["CONFIGS_READ", "ACTIVATIONS_WATCH"] },
  { label: "A pipeline that publishes", scopes: ["AGENTS_READ", "VERSIONS_PUBLISH", "VERSIONS_ACTIVATE"] },
  { label: "A report", scopes: ["AGENTS_READ", "CHANGES_READ"] },
];
