import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ReactElement, ReactNode } from "react";
import { classes } from "./classes";
import { Icon, type IconName } from "./Icon";
import { usePortal } from "./portal";
import styles from "./Menu.module.css";

/** A menu that `trigger` opens; `children` are `MenuItem`s, `MenuLink`s, `MenuLabel`s and `MenuLine`s. */
export function Menu({ trigger, children, align = "end", side = "bottom" }: { trigger: ReactElement; children: ReactNode; align?: "start" | "end"; side?: "top" | "bottom" }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal container={usePortal()}>
        <Radix.Content className={styles["menu"]} align={align} side={side} sideOffset={4} collisionPadding={8}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** An entry that does something. With `reason` it is shown, in reach of the keyboard, and does nothing. */
export function MenuItem({ children, onSelect, icon, danger, reason }: { children: ReactNode; onSelect: () => void; icon?: IconName; danger?: boolean; reason?: string | null | false }) {
  return (
    <Radix.Item
      className={classes(styles["item"], danger && styles["danger"])}
      aria-disabled={reason ? true : undefined}
      data-disabled={reason ? "" : undefined}
      onSelect={(event) => {
        if (reason) event.preventDefault();
        else onSelect();
      }}
    >
      {icon && <Icon name={icon} />}
      <span>
        {children}
        {reason && <span className={styles["reason"]}>{reason}</span>}
      </span>
    </Radix.Item>
  );
}

/** An entry that leads somewhere: `children` is a link. */
export function MenuLink({ children }: { children: ReactElement }) {
  return (
    <Radix.Item asChild className={styles["item"]}>
      {children}
    </Radix.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className={styles["label"]}>{children}</Radix.Label>;
}

export function MenuLine() {
  return <Radix.Separator className={styles["line"]} />;
}
