// What came of a write: refused, failed, or not known yet.
import type { ReactNode } from "react";
import { RequestError, titleOf } from "~/api/errors";
import type { SubmitState } from "~/api/submit";
import { CopyButton } from "./CopyButton";
import { Icon } from "./Icon";
import styles from "./Outcome.module.css";

/** `what` ends the sentence "We don’t know yet whether …". A form shows the errors of its fields itself: `inForm`. */
export function Outcome({ state, what, inForm }: { state: SubmitState; what: string; inForm?: boolean }) {
  const { isBusy, isUnsure, errors, failure } = state;
  if (isBusy && isUnsure) {
    return (
      <Band tone="warn">
        <p>We don’t know yet whether {what}. Asking again: that does nothing twice.</p>
      </Band>
    );
  }
  if (failure) {
    const id = failure instanceof RequestError ? failure.requestId : null;
    return (
      <Band tone={isUnsure ? "warn" : "bad"}>
        <p>
          <b>{titleOf(failure)}.</b> {isUnsure ? `We don’t know whether ${what}. Try again: that does nothing twice.` : failure.message}
        </p>
        {id && (
          <p className={styles["id"]}>
            Request {id} <CopyButton text={id} what="request’s id" quiet />
          </p>
        )}
      </Band>
    );
  }
  if (errors.length > 0 && !inForm) {
    return (
      <Band tone="bad">
        {errors.map(({ message }, index) => (
          <p key={index}>{message}</p>
        ))}
      </Band>
    );
  }
  return null;
}

function Band({ tone, children }: { tone: "warn" | "bad"; children: ReactNode }) {
  return (
    <div className={styles["band"]} data-tone={tone} role="alert">
      <Icon name="warn" />
      <div>{children}</div>
    </div>
  );
}
