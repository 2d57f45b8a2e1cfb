import { useState } from "react";
import type { SettingsQuery } from "~/__generated__/graphql";
import { signOut } from "~/api/session";
import { useSubmit } from "~/api/submit";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { Badge } from "~/ui/marks";
import { Empty } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { count } from "~/words";
import { RevokeOtherSessionsDocument, RevokeSessionDocument } from "./documents";
import styles from "./SettingsPage.module.css";

type Session = SettingsQuery["viewer"]["sessions"][number];

const nameOf = ({ client }: Session): string => client ?? "A browser";

/** Where the reader is signed in. Ended sessions are cut off within a second. */
export function Sessions({ sessions }: { sessions: readonly Session[] }) {
  const [ending, setEnding] = useState<Session | "others" | null>(null);
  const others = sessions.filter(({ isCurrent }) => !isCurrent);
  const columns: Column<Session>[] = [
    {
      key: "client",
      label: "Browser",
      clip: true,
      cell: (session) => (
        <>
          {nameOf(session)} {session.isCurrent && <Badge tone="ok">this one</Badge>}
        </>
      ),
    },
    { key: "network", label: "Network", cell: ({ network }) => <span className="mono">{network ?? "unknown"}</span> },
    { key: "created", label: "Signed in", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { key: "seen", label: "Last seen", cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
    { key: "expires", label: "Ends", cell: ({ expiresAt }) => <Time at={expiresAt} /> },
    {
      key: "end",
      label: <span className="unseen">What can be done</span>,
      right: true,
      always: true,
      cell: (session) =>
        session.isCurrent ? (
          <Button small onClick={signOut}>
            Sign out
          </Button>
        ) : (
          <Button small onClick={() => setEnding(session)}>
            End session…
          </Button>
        ),
    },
  ];
  return (
    <section className={styles["section"]} id="sessions" aria-labelledby="sessions-title">
      <h2 id="sessions-title">Sessions</h2>
      <p className="muted">A session ends after 8 hours without use, and after 24 hours in all. End those that you don’t know.</p>
      {sessions.length === 0 ? (
        <Empty title="No browser is signed in">You came here with a token, not with a session.</Empty>
      ) : (
        <Table
          label="Sessions"
          columns={columns}
          rows={sessions}
          keyOf={({ id }) => id}
          second={(session) => (
            <>
              {session.network ?? "unknown network"} · seen <Time at={session.lastSeenAt} />
            </>
          )}
        />
      )}
      {others.length > 0 && (
        <div>
          <Button onClick={() => setEnding("others")}>{others.length === 1 ? "End the other session…" : `End the ${count(others.length, "other session")}…`}</Button>
        </div>
      )}
      {ending === "others" && <EndOthers number={others.length} close={() => setEnding(null)} />}
      {ending !== null && ending !== "others" && <EndOne session={ending} close={() => setEnding(null)} />}
    </section>
  );
}

function EndOne({ session, close }: { session: Session; close: () => void }) {
  const name = nameOf(session);
  const end = useSubmit(RevokeSessionDocument, (data) => data.revokeSession, ["viewer"]);
  const confirm = async () => {
    if (!(await end.submit({ sessionId: session.id }))) return;
    toast(`Ended the session of ${name}.`);
    close();
  };
  return (
    <Confirm title={`End the session of ${name}?`} action="End session" keep="Keep it" state={end} what="the session was ended" onConfirm={() => void confirm()} onClose={close}>
      <p>It is cut off within a second. What is typed there stays on its screen, and can be sent after signing in again.</p>
    </Confirm>
  );
}

function EndOthers({ number, close }: { number: number; close: () => void }) {
  const end = useSubmit(RevokeOtherSessionsDocument, (data) => data.revokeOtherSessions, ["viewer"]);
  const confirm = async () => {
    const payload = await end.submit({});
    if (!payload) return;
    toast(`Ended ${count(payload.sessionIds.length, "session")}.`);
    close();
  };
  return (
    <Confirm title={number === 1 ? "End the other session?" : `End ${count(number, "other session")}?`} action={`End ${count(number, "session")}`} keep="Keep them" state={end} what="the sessions were ended" onConfirm={() => void confirm()} onClose={close}>
      <p>Only this browser stays signed in.</p>
    </Confirm>
  );
}
