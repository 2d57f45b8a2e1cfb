// Whether the browser still has a session. A tab that has shown something keeps what it shows, and what was typed, and
// asks to sign in in another tab.

type Listener = () => void;

let ended = false;
const listeners = new Set<Listener>();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("agent-registry-session");

function set(value: boolean): void {
  if (ended === value) return;
  ended = value;
  for (const listener of listeners) listener();
}

export const session = {
  subscribe: (listener: Listener): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  hasEnded: (): boolean => ended,
};

/** The service refused the session. */
export function sessionEnded(): void {
  set(true);
}

/** A request was answered, so there is a session. */
export function sessionFound(): void {
  set(false);
}

/** Tells the other tabs that somebody signed in here. */
export function announceSignIn(): void {
  channel?.postMessage("signed-in");
}

/** Calls `listener` when another tab signed in, or this one is looked at again. */
export function onPerhapsSignedIn(listener: Listener): () => void {
  const heard = () => listener();
  const visible = () => {
    if (document.visibilityState === "visible") listener();
  };
  channel?.addEventListener("message", heard);
  document.addEventListener("visibilitychange", visible);
  return () => {
    channel?.removeEventListener("message", heard);
    document.removeEventListener("visibilitychange", visible);
  };
}

/** Whom this browser's session stands for; null without one. Asked for where no session is needed. */
export async function whoIsSignedIn(signal: AbortSignal): Promise<string | null> {
  const response = await fetch("/auth/session", { credentials: "same-origin", signal });
  if (!response.ok) return null;
  const answer = (await response.json()) as { name?: string | null };
  return answer.name ?? null;
}

/** The address that signs in and leads to `next` afterwards. */
export function signInAddress(next: string): string {
  return `/auth/sign-in?return_to=${encodeURIComponent(next)}`;
}

/** Ends the session. The service answers with a page that says so, and where to sign out besides. */
export function signOut(): void {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/auth/sign-out";
  document.body.append(form);
  form.submit();
}
