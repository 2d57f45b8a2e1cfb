// A small client with the types that openapi-typescript generates from the description of REST. It is compiled, not
// run.

import type { components, operations, paths } from "./__generated__/openapi";

type Schemas = components["schemas"];
type Active = operations["getActiveConfig"]["responses"];

/** The active configuration. Null when it is still the known one. */
export async function active(base: string, token: string, agent: string, known?: string) {
  const path: keyof paths = "/internal/agents/{id}/active";
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (known !== undefined) headers["if-none-match"] = known;
  const answer = await fetch(base + path.replace("{id}", encodeURIComponent(agent)), { headers });
  if (answer.status === 304) return null;
  if (!answer.ok) {
    const problem: Active[404]["content"]["application/problem+json"] = await answer.json();
    throw new Error(`${problem.code}: ${problem.detail} (${problem.request_id})`);
  }
  const config: Active[200]["content"]["application/json"] = await answer.json();
  return { config, tag: answer.headers.get("etag") };
}

/** Model parameters may be any JSON, at any depth. */
export const version: Schemas["NewVersion"] = {
  system_prompt: "You help.",
  model_name: "gpt-4-turbo",
  model_parameters: { temperature: 0.2, stop: ["\n", null], nested: { deeper: [[{ still: true }]] } },
  tools: [{ name: "search", description: null, input_schema: { type: "object", properties: {} } }, { name: "stop", input_schema: true }],
};

// @ts-expect-error a prompt is a string
export const wrong: Schemas["NewVersion"] = { system_prompt: 1, model_name: "gpt-4-turbo" };
// @ts-expect-error the path doesn't exist
export const nowhere: keyof paths = "/v1/nowhere";
