import { oneOf, text, type RawSearch } from "~/search";

/** Why the sign-in page is shown, and where to go afterwards. */
export interface SignInSearch {
  next?: string;
  reason?: "ended";
}

export function signInSearch(raw: RawSearch): SignInSearch {
  return { next: ownAddress(text(raw["next"])), reason: oneOf(raw["reason"], ["ended"]) };
}

/** An address of this console; anything else is left out, so that the page leads nowhere else. */
export function ownAddress(next: string | undefined): string | undefined {
  return next && /^\/(?![/\\])[^\\]*$/.test(next) ? next : undefined;
}
