import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { announceSignIn, signInAddress, whoIsSignedIn } from "~/api/session";
import { buttonClass } from "~/ui/Button";
import { Command, Skeleton } from "~/ui/states";
import styles from "./SignInPage.module.css";

/** The door: who is signed in already, or how to sign in. Its failures are pages of the service, each with its words. */
export default function SignInPage() {
  const { next = "/", reason } = useSearch({ from: "/sign-in" });
  const who = useQuery({ queryKey: ["who"], queryFn: ({ signal }) => whoIsSignedIn(signal), staleTime: 0, retry: 1 });
  const name = who.data ?? null;
  useEffect(() => {
    document.title = "Sign in · Agent Registry";
  }, []);
  useEffect(() => {
    if (name) announceSignIn();
  }, [name]);
  return (
    <main className={styles["page"]}>
      <div className={styles["card"]}>
        <p className={styles["mark"]}>
          <img src={`${import.meta.env.BASE_URL}icon.svg`} width={28} height={28} alt="" />
          Agent Registry
        </p>
        {who.isPending ? (
          <>
            <h1>Sign in</h1>
            <Skeleton rows={2} />
          </>
        ) : name ? (
          <SignedIn name={name} next={next} isBack={reason === "ended"} />
        ) : (
          <SignedOut next={next} isEnded={reason === "ended"} isUnreachable={who.isError} />
        )}
      </div>
    </main>
  );
}

function SignedIn({ name, next, isBack }: { name: string; next: string; isBack: boolean }) {
  if (isBack) {
    return (
      <>
        <h1>You are signed in again</h1>
        <p>Close this tab. What you typed in the other one is as you left it, {name}.</p>
      </>
    );
  }
  return (
    <>
      <h1>You are signed in</h1>
      <p>This browser is signed in as {name}.</p>
      <a className={buttonClass("filled")} href={next}>
        Open the console
      </a>
    </>
  );
}

function SignedOut({ next, isEnded, isUnreachable }: { next: string; isEnded: boolean; isUnreachable: boolean }) {
  const isInvited = next.startsWith("/invitations/");
  return (
    <>
      <h1>{isEnded ? "Your session has ended" : isInvited ? "You are invited" : "Sign in"}</h1>
      {isUnreachable && <p role="alert">The registry doesn’t answer now. Gateways go on serving what they have.</p>}
      <p>
        {isEnded
          ? "Sign in again here. What you typed in the other tab stays there."
          : isInvited
            ? "Sign in with the address that was invited. That makes you a member."
            : "Sign in where your organisation signs you in."}
      </p>
      <a className={buttonClass("filled")} href={signInAddress(isEnded ? "/sign-in?reason=ended" : next)}>
        Sign in
      </a>
      <div className={styles["note"]}>
        <p>No identity provider yet? On the machine of the registry, this prints an address that signs this browser in once:</p>
        <Command text="agent-registry console" />
      </div>
    </>
  );
}
