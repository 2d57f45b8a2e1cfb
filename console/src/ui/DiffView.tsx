import { useEffect, useMemo, useState } from "react";
import { count } from "~/words";
import { Button } from "./Button";
import { classes } from "./classes";
import styles from "./DiffView.module.css";
import { rowsOf, type Block, type Cell, type Hunk, type Part } from "./diff/rows";
import { differentWords } from "./diff/words";

/** Above this many characters words are compared on demand. */
const LARGE = 64 * 1024;

/** The difference of two texts by the server's hunks, with the words that differ marked. */
export function DiffView({ hunks, layout = "inline", label }: { hunks: readonly Hunk[]; layout?: "inline" | "sides"; label: string }) {
  const parsed = useMemo(() => parse(hunks), [hunks]);
  const blocks = useMemo(() => parsed.flatMap((one) => one.blocks), [parsed]);
  const size = useMemo(() => blocks.reduce((sum, block) => sum + lengthOf(block), 0), [blocks]);
  const [wanted, setWanted] = useState(false);
  const parts = useWords(blocks, size <= LARGE || wanted);
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const added = lines.filter(({ kind }) => kind === "ADDED").length;
  const removed = lines.filter(({ kind }) => kind === "REMOVED").length;
  if (hunks.length === 0) return <p className="muted">No line differs.</p>;
  return (
    <section className={styles["diff"]} aria-label={label}>
      <div className={styles["bar"]}>
        <span>
          {count(added, "line")} added, {removed} removed
        </span>
        {size > LARGE && !wanted && (
          <Button kind="quiet" small onClick={() => setWanted(true)}>
            Mark the words that differ
          </Button>
        )}
      </div>
      {parsed.map(({ hunk, rows }, index) => (
        <div key={index} data-change="" tabIndex={-1}>
          <div className={styles["hunk"]}>
            Line {hunk.newStart}
            <span className="unseen"> of the newer text</span>
          </div>
          {layout === "sides"
            ? rows.map((row, place) => (
                <div key={place} className={styles["sides"]}>
                  <Side cell={row.old} parts={parts} />
                  <Side cell={row.new} parts={parts} />
                </div>
              ))
            : inline(rows).map(({ cell, other }, place) => <Inline key={place} cell={cell} other={other} parts={parts} />)}
        </div>
      ))}
    </section>
  );
}

function parse(hunks: readonly Hunk[]) {
  const parsed: ({ hunk: Hunk } & ReturnType<typeof rowsOf>)[] = [];
  for (const hunk of hunks) parsed.push({ hunk, ...rowsOf(hunk, parsed.at(-1)?.cells ?? 0) });
  return parsed;
}

function lengthOf({ old, new: now }: Block): number {
  return [...old, ...now].reduce((sum, { text }) => sum + text.length, 0);
}

/** The parts of each line, by the line's index; empty until the worker has answered. */
function useWords(blocks: readonly Block[], isWanted: boolean): ReadonlyMap<number, Part[]> {
  const [parts, setParts] = useState<ReadonlyMap<number, Part[]>>(new Map());
  useEffect(() => {
    if (!isWanted || blocks.length === 0) return;
    let isCurrent = true;
    const joined = (cells: Cell[]) => cells.map(({ text }) => text).join("\n");
    void differentWords(blocks.map((block) => [joined(block.old), joined(block.new)])).then((answer) => {
      if (!isCurrent) return;
      const found = new Map<number, Part[]>();
      blocks.forEach((block, place) => {
        const both = answer[place];
        if (!both) return;
        block.old.forEach((cell, line) => found.set(cell.index, both[0][line] ?? []));
        block.new.forEach((cell, line) => found.set(cell.index, both[1][line] ?? []));
      });
      setParts(found);
    });
    return () => {
      isCurrent = false;
    };
  }, [blocks, isWanted]);
  return parts;
}

/** The lines of the rows in the order of a unified diff. */
function inline(rows: ReturnType<typeof rowsOf>["rows"]): { cell: Cell; other: number | null }[] {
  const lines: { cell: Cell; other: number | null }[] = [];
  let removed: Cell[] = [];
  let added: Cell[] = [];
  const flush = () => {
    for (const cell of [...removed, ...added]) lines.push({ cell, other: null });
    removed = [];
    added = [];
  };
  for (const { old, new: now } of rows) {
    if (old?.kind === "CONTEXT" && now) {
      flush();
      lines.push({ cell: old, other: now.number });
      continue;
    }
    if (old) removed.push(old);
    if (now) added.push(now);
  }
  flush();
  return lines;
}

function tone(kind: Cell["kind"]): string | undefined {
  return kind === "ADDED" ? styles["added"] : kind === "REMOVED" ? styles["removed"] : undefined;
}

function sign(kind: Cell["kind"]): string {
  return kind === "ADDED" ? "+" : kind === "REMOVED" ? "−" : " ";
}

function Words({ cell, parts }: { cell: Cell; parts: ReadonlyMap<number, Part[]> }) {
  const own = cell.kind === "CONTEXT" ? undefined : parts.get(cell.index);
  const text = own ? own.map((part, index) => (part.isMarked ? <mark key={index}>{part.text}</mark> : part.text)) : cell.text || "\u200b";
  if (cell.kind === "ADDED") return <ins className={styles["whole"]}>{text}</ins>;
  if (cell.kind === "REMOVED") return <del className={styles["whole"]}>{text}</del>;
  return text;
}

function Inline({ cell, other, parts }: { cell: Cell; other: number | null; parts: ReadonlyMap<number, Part[]> }) {
  const isNew = cell.kind === "ADDED";
  return (
    <div className={classes(styles["line"], tone(cell.kind))}>
      <span className={styles["number"]}>{isNew ? "" : cell.number}</span>
      <span className={styles["number"]}>{isNew ? cell.number : (other ?? "")}</span>
      <span className={styles["sign"]}>{sign(cell.kind)}</span>
      <span className={styles["text"]}>
        <Words cell={cell} parts={parts} />
      </span>
    </div>
  );
}

function Side({ cell, parts }: { cell: Cell | null; parts: ReadonlyMap<number, Part[]> }) {
  return (
    <div className={classes(styles["side"], cell && tone(cell.kind))}>
      <span className={styles["number"]}>{cell?.number}</span>
      <span className={styles["sign"]}>{cell && sign(cell.kind)}</span>
      <span className={styles["text"]}>{cell && <Words cell={cell} parts={parts} />}</span>
    </div>
  );
}
