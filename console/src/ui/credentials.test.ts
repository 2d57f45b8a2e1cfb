import { describe, expect, it } from "vitest";
import { endOf, environmentsText, isAccepted, stateOf } from "./credentials";

const NOW = Date.parse("2026-11-29T12:00:00Z");
const inDays = (days: number) => new Date(NOW + days * 86_400_000).toISOString();

describe("a credential", () => {
  it("is accepted until it ends or is revoked", () => {
    expect(stateOf({ expiresAt: null, revokedAt: null }, NOW)).toBe("accepted");
    expect(stateOf({ expiresAt: inDays(15), revokedAt: null }, NOW)).toBe("accepted");
    expect(stateOf({ expiresAt: inDays(6), revokedAt: null }, NOW)).toBe("ending");
    expect(stateOf({ expiresAt: inDays(-1), revokedAt: null }, NOW)).toBe("expired");
    expect(stateOf({ expiresAt: inDays(6), revokedAt: inDays(-2) }, NOW)).toBe("revoked");
    expect(isAccepted({ expiresAt: inDays(6), revokedAt: null }, NOW)).toBe(true);
    expect(isAccepted({ expiresAt: inDays(0), revokedAt: null }, NOW)).toBe(false);
  });

  it("ends after its lifetime, or never", () => {
    expect(endOf("never", NOW)).toBeUndefined();
    expect(endOf("30", NOW)).toBe("2026-12-29T12:00:00.000Z");
  });

  it("says where it reaches", () => {
    expect(environmentsText(null)).toBe("every environment");
    expect(environmentsText(["dev", "staging", "production"])).toBe("dev, staging, and production");
  });
});
