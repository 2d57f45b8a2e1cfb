import { describe, expect, it } from "vitest";
import { snippetsOf } from "./snippets";

const subject = { origin: "https://r.example", agentId: "a1", environment: "production", isDefault: true, latest: { id: "v3", number: 3 } };

describe("how an agent is used", () => {
  it("has its real address and id", () => {
    const texts = snippetsOf(subject).map(({ text }) => text);
    expect(texts.every((text) => text.includes("a1"))).toBe(true);
    expect(texts[0]).toContain("https://r.example/internal/agents/a1/active ");
  });

  it("names an environment that isn't the default everywhere", () => {
    const texts = snippetsOf({ ...subject, environment: "staging", isDefault: false }).map(({ text }) => text);
    expect(texts.every((text) => text.includes("staging"))).toBe(true);
  });

  it("has no command for a version before there is one", () => {
    expect(snippetsOf({ ...subject, latest: null }).map(({ key }) => key)).not.toContain("activate");
  });

  it("has JSON that a shell passes on", () => {
    const curl = snippetsOf(subject).find(({ key }) => key === "curl");
    const body = /--data-raw '(.*)'$/s.exec(curl?.text ?? "")?.[1] ?? "";
    expect(JSON.parse(body)).toMatchObject({ variables: { agent: "a1" } });
  });
});
