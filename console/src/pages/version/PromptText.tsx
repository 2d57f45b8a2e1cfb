import { useMemo } from "react";
import { classes } from "~/ui/classes";
import styles from "./Version.module.css";

const NAME = /(\{\{\s*[\p{Alphabetic}_][\p{Alphabetic}\p{N}_.-]*\s*\}\})/u;
/** Above this many characters names aren't marked: a part for each would slow the page down. */
const LARGE = 128 * 1024;

/** A prompt as text, never as HTML, with its `{{names}}` marked. */
export function PromptText({ text, label }: { text: string; label: string }) {
  const parts = useMemo(() => (text.length > LARGE ? [text] : text.split(NAME)), [text]);
  if (text === "") return <p className="muted">The prompt is empty.</p>;
  return (
    <pre className={classes(styles["prompt"])} tabIndex={0} aria-label={label}>
      {parts.map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part))}
    </pre>
  );
}
