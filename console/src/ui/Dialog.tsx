import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { Button } from "./Button";
import { classes } from "./classes";
import styles from "./Dialog.module.css";
import { PortalContext } from "./portal";

export interface DialogProps {
  /** What the dialog asks or says. It has the first focus. */
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
  /** The buttons, the one that acts last. */
  foot?: ReactNode;
  narrow?: boolean;
  /** The bar on top, in the colour of the environment that changes. */
  environment?: { isDefault: boolean };
  /** Called by Escape and the cross; returns false to stay. */
  mayClose?: () => boolean;
}

/** A native modal dialog. Render it while it is open; the focus returns to the element that opened it. */
export function Dialog({ title, onClose, children, foot, narrow, environment, mayClose = () => true }: DialogProps) {
  const [dialog, setDialog] = useState<HTMLDialogElement | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog?.showModal();
    heading.current?.focus();
    return () => {
      dialog?.close();
      if (dialog && opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, [dialog]);
  const close = () => {
    if (mayClose()) onClose();
  };
  return (
    <dialog
      ref={setDialog}
      className={classes(styles["dialog"], narrow && styles["narrow"])}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <PortalContext value={dialog}>
      {environment && <div className={styles["bar"]} data-colour={environment.isDefault ? "production" : "other"} />}
      <div className={styles["head"]}>
        <h2 id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <Button kind="quiet" small icon="close" iconOnly onClick={close}>
          Close this dialog
        </Button>
      </div>
      <div className={styles["body"]}>{children}</div>
      {foot && <div className={styles["foot"]}>{foot}</div>}
      </PortalContext>
    </dialog>
  );
}
