import { useId, useRef } from "react";
import { Button } from "~/ui/Button";
import { CheckField } from "~/ui/Form";
import styles from "./AgentsPage.module.css";

/** Which columns a table shows; the reader's choice stays in this browser. */
export function Columns({ columns, hidden, onChange }: { columns: { key: string; label: string }[]; hidden: readonly string[]; onChange: (hidden: string[]) => void }) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const place = () => {
    const button = document.querySelector(`[popovertarget="${CSS.escape(id)}"]`)?.getBoundingClientRect();
    if (!button || !popover.current) return;
    popover.current.style.top = `${button.bottom + 4}px`;
    popover.current.style.right = `${Math.max(8, document.documentElement.clientWidth - button.right)}px`;
  };
  return (
    <>
      <Button kind="quiet" icon="settings" popoverTarget={id}>
        Columns
      </Button>
      <div ref={popover} id={id} popover="auto" className={styles["columns"]} onBeforeToggle={place} role="group" aria-label="Columns">
        {columns.map(({ key, label }) => (
          <CheckField key={key} name={`column-${key}`} label={label} checked={!hidden.includes(key)} onChange={({ target }) => onChange(target.checked ? hidden.filter((one) => one !== key) : [...hidden, key])} />
        ))}
      </div>
    </>
  );
}
