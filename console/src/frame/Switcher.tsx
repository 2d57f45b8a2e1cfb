import { useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useRef, useState } from "react";
import { useData } from "~/api/query";
import { preferences } from "~/preferences";
import { classes } from "~/ui/classes";
import { inputClass } from "~/ui/Form";
import { Icon } from "~/ui/Icon";
import { RecentCustomersDocument, SwitcherDocument } from "./documents";
import type { CustomerScope, Viewer } from "./scope";
import styles from "./Switcher.module.css";

interface Choice {
  id: string;
  name: string;
  externalId?: string | null;
}

/** The customer that is looked at: plain text for members of one, a combobox for the others. */
export function Switcher({ viewer, customer }: { viewer: Viewer; customer: CustomerScope | null }) {
  const popover = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const hasChoice = viewer.isOperator || viewer.memberships.length > 1;
  if (!hasChoice) {
    return (
      <p className={styles["name"]}>
        <Icon name="customer" />
        <span className={styles["label"]}>{customer?.name ?? viewer.memberships[0]?.customer?.name ?? "Agent Registry"}</span>
      </p>
    );
  }
  return (
    <>
      <button
        type="button"
        className={classes(styles["name"], styles["button"])}
        popoverTarget={id}
        aria-label={customer ? `${customer.name}: choose another customer` : "Choose a customer"}
      >
        <Icon name="customer" />
        <span className={styles["label"]}>{customer?.name ?? "Customers"}</span>
        <span className={styles["chevron"]}>
          <Icon name="chevron" size={12} />
        </span>
      </button>
      <div ref={popover} id={id} popover="auto" className={styles["popover"]} onToggle={(event) => setOpen((event as unknown as { newState: string }).newState === "open")}>
        {isOpen && <Choices viewer={viewer} current={customer?.id ?? null} close={() => popover.current?.hidePopover()} />}
      </div>
    </>
  );
}

function Choices({ viewer, current, close }: { viewer: Viewer; current: string | null; close: () => void }) {
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(0);
  const navigate = useNavigate();
  const id = useId();
  const { heading, choices } = useChoices(viewer, search.trim());
  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    void navigate({ to: "/c/$customer", params: { customer: choice.id } });
  };
  return (
    <>
      <input
        className={inputClass}
        autoFocus
        role="combobox"
        aria-label="Customer"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={choices[active] ? `${id}-${active}` : undefined}
        placeholder={viewer.isOperator ? "Name or external id" : "Name"}
        autoComplete="off"
        value={search}
        onChange={({ target }) => {
          setSearch(target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setActive(Math.min(active + 1, choices.length - 1));
          else if (event.key === "ArrowUp") setActive(Math.max(active - 1, 0));
          else if (event.key === "Enter") choose(choices[active]);
          else return;
          event.preventDefault();
        }}
      />
      <div className={styles["list"]}>
        <p className={styles["heading"]}>{choices.length > 0 ? heading : "No customer matches."}</p>
        <div role="listbox" id={id} aria-label="Customers">
          {choices.map((choice, index) => (
            <div
              key={choice.id}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              className={styles["option"]}
              onPointerMove={() => setActive(index)}
              onClick={() => choose(choice)}
            >
              <span>{choice.name}</span>
              <small>{choice.id === current ? "here" : choice.externalId}</small>
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

/** What matches: memberships by name; for operators every customer, and the five latest before anything is typed. */
function useChoices(viewer: Viewer, search: string): { heading: string; choices: Choice[] } {
  const recent = useMemo(() => preferences.recent(), []);
  const found = useData(SwitcherDocument, { search }, { enabled: viewer.isOperator && search !== "", keep: true });
  const latest = useData(RecentCustomersDocument, { ids: recent }, { enabled: viewer.isOperator && search === "" && recent.length > 0 });
  if (!viewer.isOperator) {
    const own = viewer.memberships.flatMap(({ customer }) => (customer ? [customer] : []));
    const wanted = search.toLowerCase();
    return { heading: "Your customers", choices: own.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, 50) };
  }
  if (search === "") {
    const nodes = latest.data?.customers.nodes ?? [];
    return { heading: "Looked at last", choices: recent.flatMap((id) => nodes.filter((one) => one.id === id)) };
  }
  const known = found.data?.known.nodes ?? [];
  const named = (found.data?.named.nodes ?? []).filter(({ id }) => known.every((one) => one.id !== id));
  return { heading: "Customers", choices: [...known, ...named] };
}
