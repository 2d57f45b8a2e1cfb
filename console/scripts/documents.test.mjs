import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { calls, operationText } from "./documents.mjs";

const fragment = (text) => {
  const [definition] = parse(text).definitions;
  return [definition.name.value, definition];
};
const fragments = new Map([fragment("fragment Outer on Agent { id ...Inner }"), fragment("fragment Inner on Agent { name }"), fragment("fragment Other on Agent { createdAt }")]);

describe("the text that is sent", () => {
  it("has the fragments that it uses, in one order, and no ignored characters", () => {
    const text = operationText("query One { # comment\n agent(id: 1) { ...Outer } }", fragments);
    expect(text).toBe("query One{agent(id:1){...Outer}}fragment Inner on Agent{name}fragment Outer on Agent{id ...Inner}");
  });

  it("is empty for a fragment alone", () => {
    expect(operationText("fragment Other on Agent { createdAt }", fragments)).toBe("");
  });

  it("names a fragment that nobody wrote", () => {
    expect(() => operationText("query One { agent(id: 1) { ...Missing } }", fragments)).toThrow("no fragment is called Missing");
  });

  it("is found in each form of the call", () => {
    expect(calls("const a = graphql(`query A { a }`); const b = graphql(/* GraphQL */ `query B { b }`,\n);")).toEqual(["query A { a }", "query B { b }"]);
  });
});
