// A secret, shown once.
import { useState, type ReactNode } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import styles from "./Secret.module.css";
import { toast } from "./toasts";

export interface SecretProps {
  title: string;
  /** Null after a repeated write: the service tells a secret once, and the answer with it was lost. */
  secret: string | null;
  /** How it is used, and what ends when. */
  children?: ReactNode;
  onClose: () => void;
}

/** Escape and the cross ask once more while the secret isn’t copied. */
export function SecretDialog({ title, secret, children, onClose }: SecretProps) {
  const [isCopied, setCopied] = useState(false);
  const [isWarned, setWarned] = useState(false);
  const copy = async () => {
    if (secret === null) return;
    try {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
      toast("Copied the secret.");
    } catch {
      toast("The browser doesn’t let this page copy. Select the secret instead.", "bad");
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      mayClose={() => {
        if (secret === null || isCopied || isWarned) return true;
        setWarned(true);
        return false;
      }}
      foot={
        <Button onClick={onClose} kind={isCopied || secret === null ? "filled" : "plain"}>
          {isCopied || secret === null ? "Close" : "I have stored it"}
        </Button>
      }
    >
      {secret === null ? (
        <p className={styles["lost"]}>
          It was created, but the answer with its secret was lost on the way, and a secret is shown once. Revoke it, and create another.
        </p>
      ) : (
        <>
          <p>Copy the secret now. It is shown this once: the registry keeps its hash alone.</p>
          <div className={styles["secret"]}>
            <code tabIndex={0}>{secret}</code>
            <Button kind={isCopied ? "plain" : "filled"} icon={isCopied ? "check" : "copy"} onClick={() => void copy()}>
              {isCopied ? "Copied" : "Copy the secret"}
            </Button>
          </div>
          {isWarned && !isCopied && (
            <p className={styles["warned"]} role="alert">
              <Icon name="warn" /> The secret isn’t copied. Close again, and it is gone: then rotate or create anew.
            </p>
          )}
        </>
      )}
      {children}
    </Dialog>
  );
}
