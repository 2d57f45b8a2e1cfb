import { afterEach, describe, expect, it, vi } from "vitest";
import type { TypedDocumentString } from "~/__generated__/graphql";
import { RequestError } from "./errors";
import { execute } from "./execute";

const document = "query Who{viewer{name}}" as unknown as TypedDocumentString<{ viewer: { name: string } }, Record<string, never>>;

function answerWith(body: unknown, init: ResponseInit = {}): ReturnType<typeof vi.fn> {
  const sent = vi.fn(() => Promise.resolve(new Response(typeof body === "string" ? body : JSON.stringify(body), init)));
  vi.stubGlobal("fetch", sent);
  return sent;
}

/** The failure of a request. */
async function failure(options?: { signal?: AbortSignal; timeout?: number }): Promise<RequestError> {
  try {
    await execute(document, {}, options);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error("the request was answered");
}

afterEach(() => vi.unstubAllGlobals());

describe("a request", () => {
  it("sends the document and the variables, with the cookie and without a token", async () => {
    const sent = answerWith({ data: { viewer: { name: "ada" } } });
    expect(await execute(document, {})).toEqual({ viewer: { name: "ada" } });
    const [address, options] = sent.mock.calls[0] as [string, RequestInit];
    expect(address).toBe("/graphql");
    expect(options.credentials).toBe("same-origin");
    expect(Object.keys(options.headers as object)).toEqual(["content-type", "accept"]);
    expect(JSON.parse(options.body as string)).toEqual({ query: "query Who{viewer{name}}", variables: {} });
  });

  it("fails with the code's kind, and keeps the request's id", async () => {
    answerWith({ data: null, errors: [{ message: "No right.", extensions: { code: "FORBIDDEN" } }] }, { headers: { "x-request-id": "r-1" } });
    expect(await failure()).toMatchObject({ kind: "forbidden", message: "No right.", requestId: "r-1", isUnsure: false });
  });

  it("fails when a part of the answer failed", async () => {
    answerWith({ data: { viewer: null }, errors: [{ message: "Away.", extensions: { code: "UNAVAILABLE" } }] });
    expect(await failure()).toMatchObject({ kind: "unavailable", isUnsure: true });
  });

  it.each([
    [401, "session"],
    [429, "too-many"],
    [502, "unavailable"],
    [500, "fault"],
  ])("without GraphQL's form, %i says what it is", async (status, kind) => {
    answerWith("<html>", { status });
    expect(await failure()).toMatchObject({ kind });
  });

  it("that is cut off leaves unsure what was done", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await failure()).toMatchObject({ kind: "cut-off", isUnsure: true, requestId: null });
  });

  it("that takes too long is given up, and leaves unsure what was done", async () => {
    vi.stubGlobal("fetch", (_: string, { signal }: { signal: AbortSignal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))));
    expect(await failure({ timeout: 10 })).toMatchObject({ kind: "timeout", isUnsure: true });
  });

  it("that the page gave up is no failure of the service", async () => {
    const controller = new AbortController();
    vi.stubGlobal("fetch", (_: string, { signal }: { signal: AbortSignal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))));
    const answer = execute(document, {}, { signal: controller.signal });
    controller.abort();
    await expect(answer).rejects.not.toBeInstanceOf(RequestError);
  });
});
