import { expect, it } from "vitest";
import { convergenceWords } from "./convergenceWords";

const all = { gateways: 12, applied: 12, pending: 0, late: 0, rejected: 0, silent: 0 };

it("says how many gateways have applied a change, and names the rest", () => {
  expect(convergenceWords(all)).toBe("12 of 12 gateways applied it");
  expect(convergenceWords({ ...all, gateways: 1, applied: 1 })).toBe("1 of 1 gateway applied it");
  expect(convergenceWords({ ...all, applied: 6, pending: 3, late: 1, rejected: 1, silent: 2 })).toBe("6 of 12 gateways applied it · 2 not yet · 1 late · 1 refuses it · 2 never report");
});
