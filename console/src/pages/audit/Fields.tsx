// Before and after, field by field.
import { useEffect, useMemo, useState } from "react";
import type { AuditEntryFragment, AuditNamesQuery } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { differentWords } from "~/ui/diff/words";
import type { Part } from "~/ui/diff/rows";
import { AuditNamesDocument } from "./documents";
import styles from "./AuditPage.module.css";
import { idsIn, labelOf, valueText } from "./fields";

type FieldChange = AuditEntryFragment["fieldChanges"][number];

/** From this length on, the words that differ within a text are marked. */
const LONG = 24;

/** The fields that an entry changed, as a diff. */
export function Fields({ changes }: { changes: readonly FieldChange[] }) {
  const ids = useMemo(() => idsIn(changes), [changes]);
  const { data } = useData(AuditNamesDocument, { ids }, { enabled: ids.length > 0 });
  const names = useMemo(() => {
    const found = new Map<string, string>();
    for (const node of data?.nodes ?? []) {
      const name = node && nameOf(node);
      if (node && name) found.set(node.id, name);
    }
    return found;
  }, [data]);
  if (changes.length === 0) return <p className="muted">The entry has no fields.</p>;
  return (
    <dl className={styles["fields"]}>
      {changes.map((change) => (
        <Field key={change.path.join(".")} change={change} names={names} />
      ))}
    </dl>
  );
}

function nameOf(node: NonNullable<AuditNamesQuery["nodes"][number]>): string | null {
  if ("personName" in node) return node.personName ?? node.personEmail ?? null;
  if ("number" in node) return String(node.number);
  if ("key" in node) return node.key;
  return "name" in node ? node.name : null;
}

function Field({ change, names }: { change: FieldChange; names: ReadonlyMap<string, string> }) {
  const { path, before, after } = change;
  const [old, now] = [isThere(before) ? valueText(path, before, names) : null, isThere(after) ? valueText(path, after, names) : null];
  const parts = useWords(old, now);
  return (
    <div className={styles["field"]}>
      <dt>{labelOf(path)}</dt>
      <dd>
        {old !== null && (
          <del className={styles["old"]}>
            <span aria-hidden="true">−</span>
            <span className={styles["value"]}>{parts ? <Words parts={parts[0]} /> : old}</span>
          </del>
        )}
        {now !== null && (
          <ins className={styles["new"]}>
            <span aria-hidden="true">+</span>
            <span className={styles["value"]}>{parts ? <Words parts={parts[1]} /> : now}</span>
          </ins>
        )}
      </dd>
    </div>
  );
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function Words({ parts }: { parts: Part[] }) {
  return parts.map(({ text, isMarked }, index) => (isMarked ? <mark key={index}>{text}</mark> : text));
}

/** The parts of both texts; null until the worker has answered, and where marking wouldn't help. */
function useWords(old: string | null, now: string | null): [Part[], Part[]] | null {
  const [answer, setAnswer] = useState<{ of: string; parts: [Part[], Part[]] } | null>(null);
  const isWorthIt = old !== null && now !== null && Math.max(old.length, now.length) >= LONG && old.length + now.length <= 16_000;
  const key = isWorthIt ? JSON.stringify([old, now]) : null;
  useEffect(() => {
    if (key === null) return;
    let isCurrent = true;
    void differentWords([JSON.parse(key) as [string, string]]).then(([found]) => {
      if (isCurrent && found) setAnswer({ of: key, parts: [joined(found[0]), joined(found[1])] });
    });
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return answer !== null && answer.of === key ? answer.parts : null;
}

/** The parts of all lines in one row, with the line ends between them. */
function joined(lines: Part[][]): Part[] {
  return lines.flatMap((line, index) => (index === 0 ? line : [{ text: "\n", isMarked: false }, ...line]));
}
