import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./Button.module.css";
import { classes } from "./classes";
import { Icon, type IconName } from "./Icon";
import { Tooltip } from "./Tooltip";

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> {
  /** Verb, thing and place: "Roll back production to 13…". */
  children: ReactNode;
  /** `filled` at most once a page; `production` where production is what changes; `danger` for what can't be undone. */
  kind?: "plain" | "filled" | "production" | "danger" | "quiet" | "link";
  small?: boolean;
  icon?: IconName;
  /** Shows the icon alone; `children` is what screen readers read, and the tooltip. */
  iconOnly?: boolean;
  /** Why the button does nothing now. It stays in reach of the keyboard, and says so. */
  reason?: string | null | false;
  /** The write is running: a second click does nothing. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** The class of a button, for links that look like one. */
export function buttonClass(kind: ButtonProps["kind"] = "plain", small = false): string {
  return classes(styles["button"], kind !== "plain" && styles[kind], small && styles["small"]);
}

export function Button({ children, kind = "plain", small, icon, iconOnly, reason, busy, onClick, className, type = "button", ...rest }: ButtonProps) {
  const dead = Boolean(reason) || busy;
  const button = (
    <button
      {...rest}
      type={type}
      className={classes(buttonClass(kind, small), iconOnly && styles["square"], className)}
      aria-disabled={dead || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (dead) {
          event.preventDefault();
          event.stopPropagation();
          return;
        }
        onClick?.(event);
      }}
    >
      {icon && <Icon name={icon} />}
      {iconOnly ? <span className="unseen">{children}</span> : children}
      {reason && <span className="unseen">: {reason}</span>}
    </button>
  );
  if (reason) return <Tooltip text={reason}>{button}</Tooltip>;
  if (iconOnly) return <Tooltip text={children}>{button}</Tooltip>;
  return button;
}
