import { isEnumType } from "graphql";
import { describe, expect, it } from "vitest";
import { schema as read } from "../scripts/schema.mjs";
import * as words from "./words";

const schema = read();
const tables: [string, (value: never) => string][] = [
  ["ChangeImpact", words.impactWord],
  ["ChangeImpact", words.impactConsent],
  ["ActivationReason", words.reasonWord],
  ["ActivationReason", words.reasonVerb],
  ["ChangeAction", words.actionVerb],
  ["ChangeAction", words.actionWord],
  ["ActorKind", words.actorWord],
  ["Channel", words.channelWord],
  ["Role", words.roleWord],
  ["BillingStatus", words.billingWord],
  ["Plan", words.planWord],
  ["BreakingPolicy", words.breakingWord],
  ["PolicyRule", words.ruleWord],
  ["GatewayState", words.gatewayWord],
  ["RejectionCode", words.rejectionWord],
  ["ApiKeyScope", words.scopeWord],
  ["ServiceScope", words.scopeWord],
  ["MembershipSource", words.sourceWord],
  ["InvitationBlock", words.blockWord],
  ["FieldChangeKind", words.fieldChangeWord],
  ["Watched", words.watchedWord],
];

describe("words", () => {
  it.each(tables)("%s has a word of its own for every value", (name, word) => {
    const type = schema.getType(name);
    if (!isEnumType(type)) throw new Error(`${name} is no enum`);
    for (const { name: value } of type.getValues()) {
      expect(word(value as never), value).not.toMatch(/_|^[A-Z]{3,}$/);
      expect(word(value as never), value).not.toBe("");
    }
  });

  it("spells a value of a newer service", () => {
    expect(words.impactWord("QUITE_NEW" as never)).toBe("Quite new");
    expect(words.roleWord("constructor" as never)).toBe("Constructor");
  });

  it("counts", () => {
    expect(words.count(1, "agent")).toBe("1 agent");
    expect(words.count(3000, "agent")).toBe("3,000 agents");
    expect(words.count(0, "entry", "entries")).toBe("0 entries");
  });
});
