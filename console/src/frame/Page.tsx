import { Link, type LinkProps } from "@tanstack/react-router";
import { createContext, useContext, useEffect, useMemo, useRef, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { Button } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { Menu, MenuItem, MenuLink } from "~/ui/Menu";
import { useRegisteredActions, type Action } from "./actions";
import { CustomerContext } from "./scope";
import styles from "./Page.module.css";

/** A step of the breadcrumb. */
export interface Crumb {
  label: string;
  /** Where it leads; the last one leads nowhere. */
  to?: LinkProps;
  /** The others of its kind, in a menu. */
  siblings?: { label: string; to: LinkProps }[];
}

export const CrumbsContext = createContext<HTMLElement | null>(null);

export interface PageProps {
  /** What is seen: the page's heading, and the beginning of the window's title. */
  title: string;
  /** A heading with marks in it, where words alone aren't enough. */
  heading?: ReactNode;
  /** What stands beside the heading: the owner, the status. */
  beside?: ReactNode;
  /** The way here, without the customer, which the frame shows. */
  crumbs?: Crumb[];
  /** The page's actions, the most important one last; at most one is filled. */
  actions?: Action[];
  children: ReactNode;
}

const NONE: Action[] = [];
let hasShown = false;

/** A page: its title, breadcrumb, heading, actions, and what it shows. */
export function Page({ title, heading, beside, crumbs, actions = NONE, children }: PageProps) {
  const h1 = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Agent Registry`;
  }, [title]);
  useEffect(() => {
    // After a change of the page the focus is on its heading, so that screen readers read it. The first page begins at
    // its top, where the skip link is.
    const active = document.activeElement;
    const isFirst = !hasShown;
    hasShown = true;
    if (isFirst) return;
    if (!active || active === document.body || active.closest("nav, [role=menu]")) h1.current?.focus({ preventScroll: true });
  }, []);
  useRegisteredActions(actions);
  const [buttons, entries] = useMemo(() => [actions.filter(({ inMenu }) => !inMenu), actions.filter(({ inMenu }) => inMenu)], [actions]);
  const slot = useContext(CrumbsContext);
  const customer = useContext(CustomerContext);
  const own = crumbs ?? [{ label: title }];
  const steps = customer ? [{ label: customer.name, to: { to: "/c/$customer", params: { customer: customer.id } } as LinkProps }, ...own] : own;
  return (
    <>
      {slot && createPortal(<Breadcrumb steps={steps} />, slot)}
      <header className={styles["head"]}>
        <div className={styles["title"]}>
          <h1 ref={h1} tabIndex={-1}>
            {heading ?? title}
          </h1>
          {beside && <div className={styles["beside"]}>{beside}</div>}
        </div>
        {actions.length > 0 && (
          <div className={styles["actions"]}>
            {entries.length > 0 && (
              <Menu
                trigger={
                  <Button kind="quiet" icon="more" iconOnly>
                    More actions
                  </Button>
                }
              >
                {entries.map(({ label, onSelect, icon, kind, reason }) => (
                  <MenuItem key={label} onSelect={onSelect} icon={icon} danger={kind === "danger"} reason={reason}>
                    {label}
                  </MenuItem>
                ))}
              </Menu>
            )}
            {buttons.map(({ label, onSelect, icon, kind, reason }) => (
              <Button key={label} kind={kind} icon={icon} reason={reason} onClick={onSelect}>
                {label}
              </Button>
            ))}
          </div>
        )}
      </header>
      {children}
    </>
  );
}

function Breadcrumb({ steps }: { steps: Crumb[] }) {
  return (
    <nav aria-label="Breadcrumb" className={styles["crumbs"]}>
      <ol>
        {steps.map(({ label, to, siblings }, index) => {
          const isLast = index === steps.length - 1;
          return (
            <li key={`${index} ${label}`}>
              {to && !isLast ? (
                <Link {...to} className={styles["crumb"]}>
                  {label}
                </Link>
              ) : (
                <span className={styles["crumb"]} aria-current={isLast ? "page" : undefined}>
                  {label}
                </span>
              )}
              {siblings && siblings.length > 0 && (
                <Menu
                  align="start"
                  trigger={
                    <button type="button" className={styles["siblings"]} aria-label={`Others beside ${label}`}>
                      <Icon name="chevron" size={12} />
                    </button>
                  }
                >
                  {siblings.slice(0, 50).map((sibling) => (
                    <MenuLink key={sibling.label}>
                      <Link {...sibling.to}>{sibling.label}</Link>
                    </MenuLink>
                  ))}
                </Menu>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
