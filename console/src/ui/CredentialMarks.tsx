// The cells of lists of API keys and service tokens, and the dialog that rotates one.
import { useState } from "react";
import type { SubmitState } from "~/api/submit";
import { absolute } from "~/time";
import { Button } from "./Button";
import { ChoiceField } from "./Choices";
import { OVERLAPS, stateOf, type Credential } from "./credentials";
import { Dialog } from "./Dialog";
import { Badge, EnvironmentMark, ShortId } from "./marks";
import { Outcome } from "./Outcome";
import styles from "./CredentialMarks.module.css";
import { Time, useNow } from "./Time";

/** The name, with a mark where something has to be known. */
export function CredentialName({ credential }: { credential: Credential }) {
  const now = useNow();
  const state = stateOf(credential, now);
  return (
    <span className={styles["name"]} data-ended={state === "expired" || state === "revoked" || undefined}>
      <b>{credential.name}</b>
      <span className={styles["id"]}>
        <ShortId id={credential.id} name={credential.name} />
      </span>
      {state === "revoked" && <Badge>Revoked</Badge>}
      {state === "expired" && <Badge>Ended</Badge>}
      {state === "ending" && (credential.replacedById ? <Badge tone="accent">Replaced</Badge> : <Badge tone="warn">Ends soon</Badge>)}
      {state === "accepted" && credential.replacedById && <Badge tone="accent">Replaced</Badge>}
    </span>
  );
}

export function CredentialEnd({ credential: { expiresAt, revokedAt } }: { credential: Credential }) {
  if (revokedAt) return <Time at={revokedAt} />;
  return expiresAt ? <Time at={expiresAt} /> : <span className="muted">never</span>;
}

export function LastUsed({ at }: { at?: string | null }) {
  return at ? <Time at={at} /> : <span className="muted">never</span>;
}

/** The environments that a credential reaches. */
export function Reach({ environments }: { environments?: readonly string[] | null }) {
  if (!environments) return <span>every environment</span>;
  return (
    <span className={styles["reach"]}>
      {environments.map((key) => (
        <EnvironmentMark key={key} environment={{ key }} />
      ))}
    </span>
  );
}

export function RotateDialog({ credential, kind, state, onRotate, onClose }: { credential: Credential; kind: "key" | "token"; state: SubmitState; onRotate: (overlapSeconds: number) => void; onClose: () => void }) {
  const [overlap, setOverlap] = useState("3600");
  const { name, expiresAt, replacedById } = credential;
  const seconds = Number(overlap);
  return (
    <Dialog
      narrow
      title={`Rotate ${name}`}
      onClose={onClose}
      mayClose={() => !state.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="filled" busy={state.isBusy} onClick={() => onRotate(seconds)}>
            Rotate {name}
          </Button>
        </>
      }
    >
      <p className={styles["lead"]}>
        A successor with the same rights and a new secret is made. Until the overlap ends both are accepted, so that you can put the new secret in place without a gap.
      </p>
      <ChoiceField
        name="overlapSeconds"
        label={`How long the old ${kind} is still accepted`}
        value={overlap}
        onChange={setOverlap}
        choices={OVERLAPS.map((one) => ({ value: String(one.seconds), label: one.label, hint: one.seconds === 0 ? "What uses it fails until it has the new secret." : undefined }))}
      />
      {expiresAt && <p className={styles["note"]}>It ends on {absolute(expiresAt)} in any case.</p>}
      {replacedById && <p className={styles["note"]}>It has a successor already. At most two are valid: rotating again revokes the oldest.</p>}
      <Outcome state={state} what={`the ${kind} was rotated`} />
    </Dialog>
  );
}
