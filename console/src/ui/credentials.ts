// What API keys and service tokens have in common: whether they are accepted, and when they end.
export interface Credential {
  id: string;
  name: string;
  createdAt: string;
  expiresAt?: string | null;
  lastUsedAt?: string | null;
  revokedAt?: string | null;
  replacedById?: string | null;
}

export type CredentialState = "accepted" | "ending" | "expired" | "revoked";

/** From this many days before its end on, a credential wants a successor. */
const SOON = 14 * 86_400_000;

/** What a credential is now. "ending": within 14 days. */
export function stateOf({ expiresAt, revokedAt }: Pick<Credential, "expiresAt" | "revokedAt">, now: number): CredentialState {
  if (revokedAt) return "revoked";
  if (!expiresAt) return "accepted";
  const left = Date.parse(expiresAt) - now;
  if (left <= 0) return "expired";
  return left <= SOON ? "ending" : "accepted";
}

/** Whether it is still accepted. */
export function isAccepted(credential: Pick<Credential, "expiresAt" | "revokedAt">, now: number): boolean {
  const state = stateOf(credential, now);
  return state === "accepted" || state === "ending";
}

/** How long the old credential is still accepted after a rotation. */
export const OVERLAPS = [
  { seconds: 0, label: "Ends at once" },
  { seconds: 3600, label: "1 hour" },
  { seconds: 86_400, label: "1 day" },
  { seconds: 604_800, label: "1 week" },
] as const;

export const LIFETIMES = [
  { key: "never", label: "Never", days: null },
  { key: "30", label: "In 30 days", days: 30 },
  { key: "90", label: "In 90 days", days: 90 },
  { key: "365", label: "In a year", days: 365 },
] as const;

/** The instant at which a credential of this lifetime ends; undefined for never. */
export function endOf(key: string, now: number): string | undefined {
  const days = LIFETIMES.find((one) => one.key === key)?.days;
  return days ? new Date(now + days * 86_400_000).toISOString() : undefined;
}

/** "every environment", "staging and production". */
export function environmentsText(environments: readonly string[] | null | undefined): string {
  if (!environments) return "every environment";
  return new Intl.ListFormat("en", { type: "conjunction" }).format(environments);
}
