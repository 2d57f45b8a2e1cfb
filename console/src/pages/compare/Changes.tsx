import type { CompareQuery } from "~/__generated__/graphql";
import { fieldChangeWord } from "~/words";
import styles from "./ComparePage.module.css";

type Diff = NonNullable<NonNullable<CompareQuery["agent"]>["diff"]>;
export type Change = Diff["changes"][number];

/** What a path is called: its first step names the part, the rest the place in it. */
function words(path: readonly string[]): [part: string, place: string] {
  const [first = "", ...rest] = path;
  if (first === "tools") return [rest[0] ?? "Tools", rest.slice(1).join(" › ")];
  return [{ modelParameters: "Settings", extensions: "Extensions", modelName: "Model" }[first] ?? first, rest.join(" › ")];
}

function pretty(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value, null, 2) ?? "");
  return text.length > 4000 ? `${text.slice(0, 4000)}…` : text;
}

/** Values that differ, by their path: settings, tools, schemas, extensions. */
export function Changes({ changes, layout }: { changes: readonly Change[]; layout: "inline" | "sides" }) {
  const parts = new Map<string, Change[]>();
  for (const change of changes) {
    const [part] = words(change.path);
    parts.set(part, [...(parts.get(part) ?? []), change]);
  }
  return (
    <div className={styles["changes"]}>
      {[...parts].map(([part, own]) => (
        <section key={part} className={styles["group"]} aria-label={part}>
          <h3>{own[0]?.path[0] === "tools" ? <code>{part}</code> : part}</h3>
          <ul>
            {own.map((change, index) => (
              <One key={index} change={change} layout={layout} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function One({ change: { path, kind, before, after }, layout }: { change: Change; layout: "inline" | "sides" }) {
  const [, place] = words(path);
  return (
    <li className={styles["change"]} data-change="" tabIndex={-1}>
      <p className={styles["path"]}>
        {place && <code>{place}</code>} <span className="muted">{fieldChangeWord(kind)}</span>
      </p>
      <div className={styles["values"]} data-layout={layout}>
        {before !== null || kind === "REMOVED" ? (
          <del>
            <span className={styles["sign"]}>−</span>
            <code>{pretty(before)}</code>
          </del>
        ) : (
          layout === "sides" && <span />
        )}
        {(after !== null || kind === "ADDED") && (
          <ins>
            <span className={styles["sign"]}>+</span>
            <code>{pretty(after)}</code>
          </ins>
        )}
      </div>
    </li>
  );
}
