// Tests breaking.mjs on small schemas that each break in one way. Run by `node --test breaking.test.mjs`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { forgotten, unnamed } from "./breaking.mjs";

const BEFORE = `
  type Query { agent(id: ID, name: String): Agent agents: [Agent!]! }
  type Agent { id: ID! description: String role: Role }
  enum Role { VIEWER EDITOR }
  input AgentInput { name: String role: Role = VIEWER }
  type Mutation { create(input: AgentInput): Agent }
`;
const changelog = ({ breaking = "", changed = "" }) =>
  `# Changelog\n\n## [Unreleased]\n\n### Changed\n\n- ${changed}\n\n### Breaking\n\n- ${breaking}\n\n## [0.1.0]\n\n### Breaking\n\n- \`Agent.role\`\n`;

const BREAKING = [
  ["a field is removed", "description: String ", "", "Agent.description"],
  ["a field's type changes", "description: String", "description: Int", "Agent.description"],
  ["an answer may be null", "[Agent!]!", "[Agent!]", "Query.agents"],
  ["an enum's value is removed", "VIEWER EDITOR", "VIEWER", "Role.EDITOR"],
  ["an argument becomes required", "id: ID,", "id: ID!,", "Query.agent(id:)"],
  ["an argument is removed", ", name: String)", ")", "Query.agent(name:)"],
  ["a required argument is added", ", name: String)", ", name: String, of: ID!)", "Query.agent(of:)"],
  ["an input's field becomes required", "input AgentInput { name: String", "input AgentInput { name: String!", "AgentInput.name"],
  ["a type is removed", /type Mutation .*\n/, "", "Mutation"],
];
for (const [what, from, to, coordinate] of BREAKING) {
  test(`${what}: it must be named as breaking`, async () => {
    const after = BEFORE.replace(from, to);
    assert.notEqual(after, BEFORE);
    const found = async (text) => (await unnamed(BEFORE, after, changelog(text))).map((change) => change.coordinate);
    assert.ok((await found({})).includes(coordinate));
    assert.ok((await found({ changed: `\`${coordinate}\`` })).includes(coordinate), "named as a mere change");
    assert.ok((await found({ breaking: coordinate })).includes(coordinate), "without backticks it may be part of a word");
    assert.ok(!(await found({ breaking: `It is gone: \`${coordinate}\`.` })).includes(coordinate));
  });
}

test("what was named for a release is not named for the next", async () => {
  const found = await unnamed(BEFORE, BEFORE.replace(" role: Role }", " }"), changelog({}));
  assert.deepEqual(found.map(({ coordinate }) => coordinate), ["Agent.role"]);
});

test("what may surprise is to be named, anywhere", async () => {
  for (const [from, to, coordinate] of [
    ["VIEWER EDITOR", "VIEWER EDITOR ADMIN", "Role.ADMIN"],
    ["Role = VIEWER", "Role = EDITOR", "AgentInput.role"],
  ]) {
    const after = BEFORE.replace(from, to);
    assert.deepEqual((await unnamed(BEFORE, after, changelog({}))).map((change) => change.coordinate), [coordinate]);
    assert.deepEqual(await unnamed(BEFORE, after, changelog({ changed: `\`${coordinate}\`` })), []);
  }
});

test("what is only more needs no name", async () => {
  const more = BEFORE.replace("name: String)", "name: String, of: ID)").replace("input AgentInput {", "input AgentInput { of: ID")
    .replace("type Agent {", "type Agent { name: String");
  assert.deepEqual(await unnamed(BEFORE, more, changelog({})), []);
});

test("a release keeps its schema", () => {
  assert.deepEqual(forgotten("# Released: 0.1.0\ntype Query", changelog({})), []);
  assert.equal(forgotten("# Released: none\ntype Query", changelog({})).length, 1);
  assert.equal(forgotten("type Query", changelog({})).length, 1);
});
