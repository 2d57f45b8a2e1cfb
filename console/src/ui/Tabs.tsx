import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";
import styles from "./Tabs.module.css";

export interface Tab {
  key: string;
  label: ReactNode;
  content: ReactNode;
}

/** Tabs whose choice the page keeps in its address. Only the chosen tab's content is rendered. */
export function Tabs({ label, tabs, value, onChange }: { label: string; tabs: Tab[]; value: string; onChange: (key: string) => void }) {
  return (
    <Radix.Root value={value} onValueChange={onChange} activationMode="manual">
      <Radix.List className={styles["list"]} aria-label={label}>
        {tabs.map(({ key, label: words }) => (
          <Radix.Trigger key={key} value={key} className={styles["tab"]}>
            {words}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map(({ key, content }) => (
        <Radix.Content key={key} value={key} className={styles["panel"]}>
          {content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
