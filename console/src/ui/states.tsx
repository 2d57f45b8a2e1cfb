// What a page or a part of one shows while it has no data: loading, empty, refused, gone, at fault.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { RequestError, titleOf } from "~/api/errors";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import styles from "./states.module.css";

/** Grey bars of the final height, after 150 ms. */
export function Skeleton({ rows = 3, height }: { rows?: number; height?: number }) {
  return (
    <div className={styles["skeleton"]} aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={styles["bone"]} style={{ ...(height ? { height } : {}), width: `${100 - ((index * 13) % 40)}%` }} />
      ))}
    </div>
  );
}

/** A command to copy. */
export function Command({ text }: { text: string }) {
  return (
    <div className={styles["command"]}>
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} what="command" quiet />
    </div>
  );
}

/** A list that never had anything, or a filter that nothing matches: one sentence, one button, one command. */
export function Empty({ title, children, action, command }: { title: string; children?: ReactNode; action?: ReactNode; command?: string }) {
  return (
    <div className={styles["state"]}>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {command && <Command text={command} />}
      {action && <div className={styles["actions"]}>{action}</div>}
    </div>
  );
}

/** "You can’t see keys here. Ask Ada Lee (Admin)." */
export function Refused({ what, ask }: { what: string; ask?: string }) {
  return (
    <div className={styles["state"]}>
      <h2>You can’t see {what} here</h2>
      <p>{ask ? `Ask ${ask}.` : "An admin of this customer can give you the role that may."}</p>
    </div>
  );
}

/** What isn't there, or isn't the reader's: the same words, so that nobody learns which. */
export function Gone({ what }: { what: string }) {
  return (
    <div className={styles["state"]}>
      <h2>There is no such {what}</h2>
      <p>It is gone, or it isn’t yours to see. Check the address, or ask the person who sent it to you.</p>
    </div>
  );
}

/** A failed read: what failed, what still holds, and a way on. */
export function Fault({ error, retry, what = "this" }: { error: unknown; retry?: () => void; what?: string }) {
  if (error instanceof RequestError && error.kind === "not-found") return <Gone what="thing" />;
  if (error instanceof RequestError && error.kind === "forbidden") return <Refused what={what} />;
  const id = error instanceof RequestError ? error.requestId : null;
  return (
    <div className={styles["state"]} role="alert">
      <h2>{titleOf(error)}</h2>
      <p>
        {error instanceof Error ? error.message : String(error)} Gateways go on serving what they have.
      </p>
      <div className={styles["actions"]}>
        {retry && <Button onClick={retry}>Try again</Button>}
        {id && (
          <span className={styles["id"]}>
            Request {id} <CopyButton text={id} what="request’s id" quiet />
          </span>
        )}
      </div>
    </div>
  );
}

/** Shows a query: its skeleton, its fault, or what `children` makes of its data. */
export function Data<Answer>({ query, skeleton, what, children }: { query: UseQueryResult<Answer>; skeleton?: ReactNode; what?: string; children: (data: Answer) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Fault error={query.error} retry={() => void query.refetch()} what={what} />;
  return (
    <div aria-busy="true">
      <span className="unseen">Loading</span>
      {skeleton ?? <Skeleton />}
    </div>
  );
}
