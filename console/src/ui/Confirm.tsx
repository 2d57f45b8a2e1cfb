// A question before a write that has no fields.
import type { ReactNode } from "react";
import type { SubmitState } from "~/api/submit";
import { Button, type ButtonProps } from "./Button";
import { Dialog } from "./Dialog";
import { Outcome } from "./Outcome";

export interface ConfirmProps {
  title: string;
  /** What will be, and what stays. */
  children: ReactNode;
  /** Verb and thing: "Revoke deploy". */
  action: string;
  kind?: ButtonProps["kind"];
  /** The other button: what stays as it is. */
  keep?: string;
  reason?: string | null | false;
  state: SubmitState;
  /** Ends "We don’t know yet whether …". */
  what: string;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, children, action, kind = "filled", keep = "Cancel", reason, state, what, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog
      narrow
      title={title}
      onClose={onClose}
      mayClose={() => !state.isBusy}
      foot={
        <>
          <Button onClick={onClose} reason={state.isBusy && "The write is on its way"}>
            {keep}
          </Button>
          <Button kind={kind} onClick={onConfirm} busy={state.isBusy} reason={reason}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      <Outcome state={state} what={what} />
    </Dialog>
  );
}
