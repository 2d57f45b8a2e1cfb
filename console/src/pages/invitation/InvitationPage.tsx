import { Link } from "@tanstack/react-router";
import { useData } from "~/api/query";
import { signInAddress } from "~/api/session";
import { Page } from "~/frame/Page";
import type { PendingInvitationsQuery } from "~/__generated__/graphql";
import { buttonClass } from "~/ui/Button";
import { Data, Empty } from "~/ui/states";
import { Time } from "~/ui/Time";
import { blockWord, roleMeaning, roleWord } from "~/words";
import { PendingInvitationsDocument } from "./documents";
import styles from "./InvitationPage.module.css";

type Viewer = PendingInvitationsQuery["viewer"];

/** Where the link of an invitation leads. Signing in has accepted it already, if nothing was in the way. */
export default function InvitationPage() {
  const query = useData(PendingInvitationsDocument, {}, { topics: ["viewer"] });
  return (
    <Page title="Invitation">
      <Data query={query} what="your invitations">
        {({ viewer }) => <Invitations viewer={viewer} />}
      </Data>
    </Page>
  );
}

function Invitations({ viewer }: { viewer: Viewer }) {
  const { pendingInvitations: pending, memberships } = viewer;
  const address = viewer.user?.email ?? viewer.displayName;
  const own = memberships.flatMap(({ role, customer }) => (customer ? [{ role, customer }] : []));
  if (pending.length === 0 && own.length === 0) {
    return (
      <Empty
        title="No invitation waits for you"
        action={
          <a className={buttonClass()} href={signInAddress(location.pathname)}>
            Sign in with another address
          </a>
        }
      >
        You are signed in as {address}. The invitation is for another address, or it was revoked, or its 14 days are over. Ask the person who sent
        it to you.
      </Empty>
    );
  }
  return (
    <>
      {pending.length > 0 && (
        <section className={styles["section"]}>
          <h2>Waiting for you, {address}</h2>
          <ul className={styles["list"]}>
            {pending.map(({ customerName, role, expiresAt, blockedBy }, index) => (
              <li key={index} className={styles["item"]}>
                <div>
                  <h3>{customerName ?? "A customer of this registry"}</h3>
                  <p>
                    {role && `As ${roleWord(role)}: ${roleMeaning(role)}. `}
                    {blockedBy ? blockWord(blockedBy) : "Your next sign-in accepts it."}
                  </p>
                  <p className="muted">
                    Ends <Time at={expiresAt} />
                  </p>
                </div>
                {!blockedBy && (
                  <a className={buttonClass(index === 0 ? "filled" : "plain")} href={signInAddress(location.pathname)}>
                    Sign in and accept
                  </a>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {own.length > 0 && (
        <section className={styles["section"]}>
          <h2>You are a member of</h2>
          <ul className={styles["list"]}>
            {own.map(({ role, customer }) => (
              <li key={customer.id} className={styles["item"]}>
                <div>
                  <h3>{customer.name}</h3>
                  <p className="muted">
                    {roleWord(role)}: {roleMeaning(role)}
                  </p>
                </div>
                <Link className={buttonClass()} to="/c/$customer" params={{ customer: customer.id }}>
                  Open {customer.name}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
