// The row of filters above a list. Its values are the address.
import type { ReactNode } from "react";
import { Button } from "./Button";
import { classes } from "./classes";
import styles from "./Filters.module.css";
import { inputClass } from "./Form";
import { Icon } from "./Icon";

/** `count` says what the filters leave: "3,000 agents". */
export function Filters({ children, count, onClear }: { children: ReactNode; count?: ReactNode; onClear?: (() => void) | null | false }) {
  return (
    <div className={styles["filters"]} role="search" aria-label="Filters">
      {children}
      {onClear && (
        <Button kind="quiet" icon="close" onClick={onClear}>
          Clear filters
        </Button>
      )}
      {count !== undefined && (
        <span className={styles["count"]} role="status">
          {count}
        </span>
      )}
    </div>
  );
}

interface SelectFilterProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  children: ReactNode;
  /** One of the values is always chosen, so the choice isn't marked as a filter that leaves something out. */
  required?: boolean;
}

/** A choice among few values. `label` is read out, and shown when nothing is chosen. */
export function SelectFilter({ label, value, onChange, children, required }: SelectFilterProps) {
  return (
    <select className={classes(inputClass, styles["select"])} aria-label={label} data-chosen={value && !required ? "" : undefined} value={value ?? ""} onChange={({ target }) => onChange(target.value || undefined)}>
      {children}
    </select>
  );
}

/** The text that the list is searched by; `/` focuses it. */
export function SearchFilter({ label, value, onChange, list }: { label: string; value: string; onChange: (value: string) => void; /** The id of a `<datalist>` with suggestions. */ list?: string }) {
  return (
    <span className={styles["search"]}>
      <Icon name="search" />
      <input className={inputClass} type="search" aria-label={label} placeholder={label} value={value} onChange={({ target }) => onChange(target.value)} list={list} data-filter="" />
    </span>
  );
}

/** A day; the whole of it counts. */
export function DayFilter({ label, value, onChange }: { label: string; value: string | undefined; onChange: (value: string | undefined) => void }) {
  return (
    <label className={styles["day"]}>
      {label}
      <input className={inputClass} type="date" value={value ?? ""} onChange={({ target }) => onChange(target.value || undefined)} />
    </label>
  );
}

/** A filter that only the address, or an entry of the list, can set: what it is, and a button that removes it. */
export function Chip({ children, onRemove }: { children: ReactNode; onRemove: () => void }) {
  return (
    <span className={styles["chip"]}>
      {children}
      <button type="button" onClick={onRemove} aria-label="Remove this filter">
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}
