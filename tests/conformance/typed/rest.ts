// REST's types as openapi-typescript makes them of the description, and a client of few lines that uses them. It is
// compiled, not run.

import type { components, operations, paths } from "./__generated__/openapi";

type Schemas = components["schemas"];
type Active = operations["getActiveConfig"]["responses"];

/** What serves, or none when it is what was known. */
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

/** Any JSON may be a parameter of a model, nested as it likes. */
export const version: Schemas["NewVersion"] = {
  system_prompt: "You help.",
  model_name: "gpt-4-turbo",
  model_parameters: { temperature: 0.2, stop: ["\n", null], nested: { deeper: [[{ still: true }]] } },
  tools: [{ name: "search", description: null, input_schema: { type: "object", properties: {} } }, { name: "stop", input_schema: true }],
};

// @ts-expect-error A prompt is text.
export const wrong: Schemas["NewVersion"] = { system_prompt: 1, model_name: "gpt-4-turbo" };
// @ts-expect-error There is no such path.
export const nowhere: keyof paths = "/v1/nowhere";
