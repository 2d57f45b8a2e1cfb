// Makes rows of the server's hunks: which lines stand side by side, and which words differ between them.

/** A line of a hunk, as the service sends it. */
export interface Line {
  kind: "CONTEXT" | "ADDED" | "REMOVED";
  text: string;
}

/** Lines that differ, with three lines around them. */
export interface Hunk {
  oldStart: number;
  newStart: number;
  lines: readonly Line[];
}

/** A part of a line; `isMarked` where the words differ. */
export interface Part {
  text: string;
  isMarked: boolean;
}

/** One side of a row. */
export interface Cell {
  kind: Line["kind"];
  number: number;
  text: string;
  /** The index of the cell's line among all lines of its side: where `markWords` puts its parts. */
  index: number;
}

/** A row of the side-by-side view: either side is null where the other has a line more. */
export interface Row {
  old: Cell | null;
  new: Cell | null;
}

/** A run of removed lines and the added lines that follow it. */
export interface Block {
  old: Cell[];
  new: Cell[];
}

/** The rows of a hunk, and its blocks of lines that replace each other. */
export function rowsOf(hunk: Hunk, offset = 0): { rows: Row[]; blocks: Block[]; cells: number } {
  const rows: Row[] = [];
  const blocks: Block[] = [];
  let index = offset;
  let [oldNumber, newNumber] = [hunk.oldStart, hunk.newStart];
  let block: Block = { old: [], new: [] };
  const flush = () => {
    for (let place = 0; place < Math.max(block.old.length, block.new.length); place += 1) {
      rows.push({ old: block.old[place] ?? null, new: block.new[place] ?? null });
    }
    if (block.old.length > 0 && block.new.length > 0) blocks.push(block);
    block = { old: [], new: [] };
  };
  for (const { kind, text } of hunk.lines) {
    if (kind === "REMOVED") {
      if (block.new.length > 0) flush();
      block.old.push({ kind, text, number: oldNumber++, index: index++ });
    } else if (kind === "ADDED") {
      block.new.push({ kind, text, number: newNumber++, index: index++ });
    } else {
      flush();
      rows.push({ old: { kind, text, number: oldNumber++, index }, new: { kind, text, number: newNumber++, index } });
      index += 1;
    }
  }
  flush();
  return { rows, blocks, cells: index };
}

/** A difference by words, as jsdiff gives it. */
export interface WordChange {
  value: string;
  added?: boolean;
  removed?: boolean;
}

/** Spreads a block's difference by words over the lines of one side. */
export function partsOf(changes: readonly WordChange[], side: "old" | "new"): Part[][] {
  const lines: Part[][] = [[]];
  for (const { value, added = false, removed = false } of changes) {
    if (side === "old" ? added : removed) continue;
    value.split("\n").forEach((text, place) => {
      if (place > 0) lines.push([]);
      if (text !== "") lines.at(-1)?.push({ text, isMarked: added || removed });
    });
  }
  return lines;
}

/** Whether so much differs that marks on words would hide more than they show. */
export function isRewritten(changes: readonly WordChange[]): boolean {
  const kept = changes.filter(({ added, removed }) => !added && !removed).reduce((sum, { value }) => sum + value.trim().length, 0);
  const all = changes.reduce((sum, { value }) => sum + value.trim().length, 0);
  return all > 0 && kept / all < 0.2;
}
