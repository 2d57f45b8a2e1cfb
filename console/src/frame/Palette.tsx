import { useNavigate, useRouter } from "@tanstack/react-router";
import { useContext, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from "react";
import { graphql } from "~/api/graphql";
import { useData } from "~/api/query";
import { Icon, type IconName } from "~/ui/Icon";
import { usePageActions } from "./actions";
import { placesOf } from "./nav";
import styles from "./Palette.module.css";
import { CustomerContext, useViewer } from "./scope";

const FindDocument = graphql(`
  query Find($search: String!, $customer: ID, $isOperator: Boolean!) {
    agents(customerId: $customer, first: 8, filter: { nameContains: $search }) {
      nodes {
        id
        name
        customer {
          id
          name
        }
      }
    }
    customers(first: 5, filter: { nameContains: $search }) @include(if: $isOperator) {
      nodes {
        id
        name
      }
    }
  }
`);

const FindNodeDocument = graphql(`
  query FindNode($id: ID!) {
    node(id: $id) {
      __typename
      ... on Agent {
        id
        name
        customer {
          id
          name
        }
      }
      ... on AgentVersion {
        number
        agent {
          id
          name
          customer {
            id
          }
        }
      }
      ... on Customer {
        id
        name
      }
    }
  }
`);

interface Entry {
  group: string;
  label: string;
  icon: IconName;
  note?: string;
  reason?: string | null;
  run: () => void;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Agents and customers by name, pages, a pasted id or revision, and what the page offers. */
export default function Palette({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  const entries = useEntries(text.trim());
  const index = Math.min(active, Math.max(entries.length - 1, 0));
  const run = (entry: Entry | undefined) => {
    if (!entry || entry.reason) return;
    close();
    entry.run();
  };
  return (
    <dialog
      ref={dialog}
      className={styles["palette"]}
      aria-label="Search"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <input
        className={styles["input"]}
        role="combobox"
        aria-label="Search agents, customers, pages and actions"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={entries[index] ? `${id}-${index}` : undefined}
        placeholder="Search, or paste an id or a revision"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setActive((index + 1) % Math.max(entries.length, 1));
          else if (event.key === "ArrowUp") setActive((index + entries.length - 1) % Math.max(entries.length, 1));
          else if (event.key === "Enter") run(entries[index]);
          else return;
          event.preventDefault();
        }}
      />
      <div className={styles["list"]} role="listbox" id={id} aria-label="What matches">
        {entries.map((entry, place) => (
          <div key={`${entry.group} ${entry.label} ${entry.note ?? ""}`} role="presentation">
            {entries[place - 1]?.group !== entry.group && (
              <p className={styles["group"]} role="presentation">
                {entry.group}
              </p>
            )}
            <div
              id={`${id}-${place}`}
              role="option"
              aria-selected={place === index}
              aria-disabled={entry.reason ? true : undefined}
              className={styles["entry"]}
              ref={place === index ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined}
              onPointerMove={() => setActive(place)}
              onClick={() => run(entry)}
            >
              <Icon name={entry.icon} />
              {entry.label}
              <small>{entry.reason ?? entry.note}</small>
            </div>
          </div>
        ))}
        {entries.length === 0 && <p className={styles["nothing"]}>Nothing matches. Names are searched by a part of them, ids as a whole.</p>}
      </div>
    </dialog>
  );
}

function useEntries(text: string): Entry[] {
  const viewer = useViewer();
  const customer = useContext(CustomerContext);
  const actions = usePageActions();
  const navigate = useNavigate();
  const router = useRouter();
  const search = useDeferredValue(text);
  const isId = UUID.test(search);
  const found = useData(FindDocument, { search, customer: customer?.id ?? null, isOperator: viewer.isOperator }, { enabled: search.length > 1 && !isId, keep: true });
  const node = useData(FindNodeDocument, { id: search }, { enabled: isId });
  return useMemo(() => {
    const wanted = text.toLowerCase();
    const matches = (label: string) => label.toLowerCase().includes(wanted);
    const entries: Entry[] = [];
    const agent = (customerId: string, agentId: string) => () => void navigate({ to: "/c/$customer/agents/$agent", params: { customer: customerId, agent: agentId } });
    if (isId && node.data?.node) {
      const one = node.data.node;
      if (one.__typename === "Agent") entries.push({ group: "Found by id", label: one.name, note: one.customer.name, icon: "agent", run: agent(one.customer.id, one.id) });
      else if (one.__typename === "Customer") {
        entries.push({ group: "Found by id", label: one.name, icon: "customer", run: () => void navigate({ to: "/c/$customer", params: { customer: one.id } }) });
      } else if (one.__typename === "AgentVersion") {
        const params = { customer: one.agent.customer.id, agent: one.agent.id, number: String(one.number) };
        entries.push({ group: "Found by id", label: `${one.agent.name} ${one.number}`, icon: "file", run: () => void navigate({ to: "/c/$customer/agents/$agent/versions/$number", params }) });
      }
    }
    if (/^\d+$/.test(text) && customer) {
      entries.push({
        group: "Revision",
        label: `Revision ${text} in the audit`,
        icon: "audit",
        run: () => void navigate({ to: "/c/$customer/audit", params: { customer: customer.id }, search: { revision: text } }),
      });
    }
    for (const { label, icon = "chevron", reason, onSelect, shortcut } of actions) {
      if (matches(label)) entries.push({ group: "On this page", label, icon, reason, note: shortcut, run: onSelect });
    }
    if (text.length > 1 && !isId) {
      for (const one of found.data?.agents.nodes ?? []) entries.push({ group: "Agents", label: one.name, note: one.customer.name, icon: "agent", run: agent(one.customer.id, one.id) });
      for (const one of found.data?.customers?.nodes ?? []) {
        entries.push({ group: "Customers", label: one.name, icon: "customer", run: () => void navigate({ to: "/c/$customer", params: { customer: one.id } }) });
      }
    }
    if (!viewer.isOperator && viewer.memberships.length > 1) {
      for (const { customer: one } of viewer.memberships) {
        if (one && one.id !== customer?.id && matches(one.name)) {
          entries.push({ group: "Your customers", label: one.name, icon: "customer", run: () => void navigate({ to: "/c/$customer", params: { customer: one.id } }) });
        }
      }
    }
    for (const { label, icon, to, letter } of placesOf(viewer, customer)) {
      if (matches(label)) entries.push({ group: "Pages", label, icon, note: letter && `g ${letter}`, run: () => void router.navigate(to as Parameters<typeof router.navigate>[0]) });
    }
    if (matches("GraphiQL")) entries.push({ group: "Pages", label: "GraphiQL", icon: "external", run: () => window.open("/graphiql", "_blank", "noreferrer") });
    return entries;
  }, [text, isId, node.data, customer, actions, found.data, viewer, navigate, router]);
}
