import { useEffect, useState } from "react";
import { Button } from "./Button";
import { toast } from "./toasts";

/** Copies a text. `what` names it: "Copy the id of Permit helper". */
export function CopyButton({ text, what, label, quiet }: { text: string; what: string; label?: string; quiet?: boolean }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      toast("The browser doesn’t let this page copy. Select the text instead.", "bad");
      return;
    }
    setCopied(true);
    toast(`Copied the ${what}.`);
  };
  return (
    <Button kind={quiet ? "quiet" : "plain"} small icon={copied ? "check" : "copy"} iconOnly={!label} onClick={() => void copy()}>
      {label ?? `Copy the ${what}`}
    </Button>
  );
}
