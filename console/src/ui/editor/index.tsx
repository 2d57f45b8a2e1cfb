import { lazy, Suspense, useSyncExternalStore } from "react";
import { classes } from "../classes";
import styles from "./Editor.module.css";

/** A line that is wrong, and why. */
export interface LineError {
  /** From 1. */
  line: number;
  message: string;
}

export interface EditorProps {
  /** What is edited, for screen readers. */
  label: string;
  value: string;
  onChange?: (value: string) => void;
  /** `prompt` marks `{{names}}`. */
  language: "prompt" | "json";
  readOnly?: boolean;
  errors?: readonly LineError[];
  /** The id of the element that describes what is wrong. */
  describedBy?: string;
  id?: string;
  /** Lines that are visible at least. */
  lines?: number;
}

const CodeEditor = lazy(() => import("./CodeEditor"));

const small = typeof matchMedia === "undefined" ? null : matchMedia("(max-width: 639px)");

function subscribe(listener: () => void): () => void {
  small?.addEventListener("change", listener);
  return () => small?.removeEventListener("change", listener);
}

/** A text editor: CodeMirror when it is loaded; a plain field until then, and on small screens. */
export function Editor(props: EditorProps) {
  const isSmall = useSyncExternalStore(subscribe, () => small?.matches ?? false);
  const plain = <PlainEditor {...props} />;
  return isSmall ? plain : <Suspense fallback={plain}><CodeEditor {...props} /></Suspense>;
}

function PlainEditor({ label, value, onChange, readOnly, describedBy, id, errors, lines = 8 }: EditorProps) {
  return (
    <textarea
      id={id}
      className={classes(styles["editor"], styles["plain"])}
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={errors && errors.length > 0 ? true : undefined}
      value={value}
      readOnly={readOnly}
      rows={lines}
      spellCheck={false}
      autoComplete="off"
      onChange={({ target }) => onChange?.(target.value)}
    />
  );
}
