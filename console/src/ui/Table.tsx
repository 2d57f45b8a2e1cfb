import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useMemo, useRef, type CSSProperties, type ReactNode } from "react";
import { classes } from "./classes";
import styles from "./Table.module.css";

export interface Column<Row> {
  key: string;
  label: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Numbers stand right. */
  right?: boolean;
  /** The column takes the width that is left, and its text is cut off. */
  clip?: boolean;
  /** The width in pixels. */
  width?: number;
  /** The value for `sort.field`; without it the column can't be ordered by. */
  sort?: string;
  /** Stays beside the first column under 640 px; the others are told in `second`. */
  always?: boolean;
}

export interface Sort {
  field: string;
  direction: "ASC" | "DESC";
}

export interface TableProps<Row> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** The number of all rows, if more can be loaded; for screen readers. */
  total?: number;
  sort?: Sort | null;
  onSort?: (sort: Sort) => void;
  /** Opens a row. Its first cell has the link, and the whole row is clickable. */
  onOpen?: (row: Row) => void;
  isSelected?: (row: Row) => boolean;
  /** The second line of a row under 640 px. */
  second?: (row: Row) => ReactNode;
  /** Called when the end of the rows comes near. */
  onEnd?: () => void;
}

/** From this number of rows on, only the rows in view are in the document. */
const VIRTUAL_FROM = 60;

/** A dense table: sticky head, order by head, rows by j, k and Enter. */
export function Table<Row>(props: TableProps<Row>) {
  const { rows, columns, keyOf, sort, onSort, onEnd, onOpen, second, isSelected } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const isVirtual = rows.length >= VIRTUAL_FROM;
  // Both are asked for each of the rows whenever one of them is another function.
  const height = useMemo(rowHeight, []);
  const getItemKey = useCallback(
    (index: number) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row);
    },
    [rows, keyOf],
  );
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer's functions aren't memoised here
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    enabled: isVirtual,
    getItemKey,
  });
  const items = isVirtual ? virtualizer.getVirtualItems() : [];
  const end = items.at(-1)?.index ?? rows.length - 1;
  useEffect(() => {
    if (onEnd && end >= rows.length - 20) onEnd();
  }, [end, rows.length, onEnd]);
  const before = items[0]?.start ?? 0;
  const after = isVirtual ? virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;
  const shown = isVirtual ? items.map(({ index }) => index) : rows.map((_, index) => index);
  return (
    <div ref={scroller} className={classes(styles["scroller"], isVirtual && styles["virtual"])} data-rows={props.label}>
      <table className={styles["table"]} aria-label={props.label} aria-rowcount={(props.total ?? rows.length) + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column, index) => (
              <Head key={column.key} column={column} isFirst={index === 0} sort={sort ?? null} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Spacer height={before} columns={columns.length} />}
          {shown.map((index) => {
            const row = rows[index];
            return row === undefined ? null : <TableRow key={keyOf(row)} index={index} row={row} columns={columns} onOpen={onOpen} second={second} isSelected={isSelected?.(row)} />;
          })}
          {after > 0 && <Spacer height={after} columns={columns.length} />}
        </tbody>
      </table>
    </div>
  );
}

function rowHeight(): number {
  const value = Number.parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row"), 10);
  return matchMedia("(max-width: 639px)").matches ? 52 : value || 36;
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return (
    <tr className={styles["spacer"]} aria-hidden="true">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

function Head<Row>({ column, isFirst, sort, onSort }: { column: Column<Row>; isFirst: boolean; sort: Sort | null; onSort: TableProps<Row>["onSort"] }) {
  const { sort: field } = column;
  const direction = sort && field === sort.field ? sort.direction : null;
  const next = direction === "ASC" ? "DESC" : "ASC";
  const style: CSSProperties = column.clip ? { width: "100%" } : column.width ? { width: column.width } : {};
  return (
    <th
      scope="col"
      style={style}
      className={classes(column.right && styles["right"], !isFirst && !column.always && styles["wide"])}
      aria-sort={direction ? (direction === "ASC" ? "ascending" : "descending") : undefined}
    >
      {field && onSort ? (
        <button type="button" className={styles["sort"]} onClick={() => onSort({ field, direction: next })}>
          {column.label}
          <span className={styles["arrow"]} aria-hidden="true">
            {direction === "ASC" ? "↑" : direction === "DESC" ? "↓" : ""}
          </span>
        </button>
      ) : (
        column.label
      )}
    </th>
  );
}

interface RowProps<Item> extends Pick<TableProps<Item>, "columns" | "onOpen" | "second"> {
  index: number;
  row: Item;
  isSelected: boolean | undefined;
}

function Row<Item>({ index, row, columns, onOpen, second, isSelected }: RowProps<Item>) {
  return (
    <tr
      className={styles["row"]}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-link={onOpen ? "" : undefined}
      onClick={(event) => {
        if (!onOpen || event.defaultPrevented || isOwnTarget(event.target, event.currentTarget)) return;
        if (getSelection()?.toString()) return;
        onOpen(row);
      }}
    >
      {columns.map((column, place) => (
        <td
          key={column.key}
          className={classes(column.right && styles["right"], column.clip && styles["clip"], place > 0 && !column.always && styles["wide"])}
        >
          {column.cell(row)}
          {place === 0 && second && <span className={styles["second"]}>{second(row)}</span>}
        </td>
      ))}
    </tr>
  );
}

/** A row is rendered again when its own data, the columns or what it does changes, and not while the table scrolls. */
const TableRow = memo(Row) as typeof Row;

/** Whether the click was for a link, a button or a field inside of the row, or for a menu that the row opened. */
function isOwnTarget(target: EventTarget, row: Element): boolean {
  return !(target instanceof Element) || !row.contains(target) || target.closest("a, button, input, select, label, [role=menu]") !== null;
}
