import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { usePages } from "~/api/pages";
import { useData } from "~/api/query";
import { OperatorsOnly } from "~/frame/Operators";
import { Page } from "~/frame/Page";
import { Filters, SelectFilter } from "~/ui/Filters";
import { Badge, EnvironmentMark } from "~/ui/marks";
import { Empty, Fault, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time } from "~/ui/Time";
import { Button } from "~/ui/Button";
import { actorWord, count, watchedWord } from "~/words";
import { WatchedCustomersDocument, WatchersDocument } from "./documents";
import styles from "./GatewaysPage.module.css";
import type { GatewaysSearch } from "./search";
import { environmentsOf, shownWatchers, type Watcher } from "./watchers";

export default function GatewaysPage() {
  return (
    <OperatorsOnly>
      <Page title="Gateways">
        <Gateways />
      </Page>
    </OperatorsOnly>
  );
}

function Gateways() {
  const search = useSearch({ from: "/frame/platform/gateways" });
  const navigate = useNavigate({ from: "/platform/gateways" });
  const set = (change: Partial<GatewaysSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const list = usePages(WatchersDocument, {}, (data) => data.watchers, { every: 5000 });
  // The filters are the page's own, so the whole list is read.
  const { more, hasMore } = list;
  useEffect(() => {
    if (hasMore) more();
  }, [hasMore, more, list.rows.length]);
  const rows = useMemo(() => shownWatchers(list.rows, search), [list.rows, search]);
  const environments = environmentsOf(list.rows);
  const ids = useMemo(() => [...new Set(list.rows.flatMap(({ customerId }) => customerId ?? []))].sort().slice(0, 100), [list.rows]);
  const customers = useData(WatchedCustomersDocument, { ids }, { enabled: ids.length > 0, keep: true });
  const names = useMemo(() => new Map((customers.data?.nodes ?? []).flatMap((node) => (node && "name" in node ? [[node.id, node.name] as const] : []))), [customers.data]);
  const behind = list.rows.filter((one) => one.behind > 0).length;
  const isFiltered = Boolean(search.environment || search.watched || search.behind);
  if (list.error) return <Fault error={list.error} retry={list.refetch} what="gateways" />;
  if (!list.first) return <Skeleton rows={8} height={28} />;
  if (list.rows.length === 0) {
    return (
      <Empty title="Nobody watches" command="agent-registry watch --help">
        A gateway appears here while it is subscribed to this instance. Make a service token, and connect one.
      </Empty>
    );
  }
  return (
    <>
      <p className={styles["lead"]}>
        {behind > 0 ? <Badge tone="warn">{behind} behind</Badge> : <Badge tone="ok">All up to date</Badge>} with revision {list.first.revision}, on the instance that answered. Other instances have their own.
      </p>
      <Filters count={count(rows.length, "watcher")} onClear={isFiltered && (() => void navigate({ search: {}, replace: true }))}>
        <SelectFilter label="Environment" value={search.environment} onChange={(environment) => set({ environment })}>
          <option value="">Every environment</option>
          {environments.map((key) => (
            <option key={key}>{key}</option>
          ))}
        </SelectFilter>
        <SelectFilter label="What is watched" value={search.watched} onChange={(watched) => set({ watched: watched as GatewaysSearch["watched"] })}>
          <option value="">Everything watched</option>
          <option value="CONFIGS">Configurations</option>
          <option value="ACTIVATIONS">Activations</option>
          <option value="CHANGES">The audit</option>
          <option value="CUSTOMER_EVENTS">Customers’ events</option>
        </SelectFilter>
        <label className={styles["toggle"]}>
          <input type="checkbox" checked={search.behind ?? false} onChange={({ target }) => set({ behind: target.checked || undefined })} /> Only those behind
        </label>
      </Filters>
      {rows.length === 0 ? <Empty title="No watcher matches" action={<Button onClick={() => void navigate({ search: {}, replace: true })}>Clear filters</Button>} /> : <List rows={rows} names={names} />}
    </>
  );
}

function List({ rows, names }: { rows: readonly Watcher[]; names: ReadonlyMap<string, string> }) {
  const columns: Column<Watcher>[] = [
    {
      key: "name",
      label: "Who",
      cell: ({ name, actor }) => (
        <>
          <b className={styles["name"]}>{name}</b> <span className="muted">{actorWord(actor.kind).toLowerCase()}</span>
        </>
      ),
    },
    { key: "watched", label: "Watches", cell: ({ watched, agents }) => `${watchedWord(watched)}${agents === null || agents === undefined ? "" : ` of ${count(agents, "agent")}`}` },
    { key: "environment", label: "Environment", cell: ({ environmentKey }) => (environmentKey ? <EnvironmentMark environment={{ key: environmentKey }} /> : <span className="muted">several</span>) },
    { key: "customer", label: "Customer", clip: true, cell: ({ customerId }) => <Customer id={customerId} names={names} /> },
    { key: "network", label: "Network", cell: ({ network }) => <span className="mono">{network}</span> },
    { key: "revision", label: "Revision", right: true, cell: ({ revision }) => revision },
    { key: "behind", label: "Behind", right: true, always: true, cell: ({ behind }) => <Behind behind={behind} /> },
    { key: "since", label: "Since", cell: ({ since }) => <Time at={since} /> },
  ];
  return (
    <Table
      label="Watchers"
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      second={({ watched, environmentKey, since }) => (
        <>
          {watchedWord(watched)} {environmentKey && <EnvironmentMark environment={{ key: environmentKey }} />} since <Time at={since} />
        </>
      )}
    />
  );
}

function Customer({ id, names }: { id?: string | null; names: ReadonlyMap<string, string> }) {
  if (!id) return <span className="muted">all that it may see</span>;
  return (
    <Link to="/c/$customer" params={{ customer: id }}>
      {names.get(id) ?? `…${id.slice(-6)}`}
    </Link>
  );
}

function Behind({ behind }: { behind: number }) {
  if (behind === 0) return <span className="muted">0</span>;
  return <Badge tone="warn">{count(behind, "commit")}</Badge>;
}
