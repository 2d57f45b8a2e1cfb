import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import type { GatewaysQuery } from "~/__generated__/graphql";
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
import { actorWord, count, gatewayWord, rejectionWord, watchedWord } from "~/words";
import { GatewayEnvironmentsDocument, GatewaysDocument, WatchedCustomersDocument, WatchersDocument } from "./documents";
import styles from "./GatewaysPage.module.css";
import type { GatewaysSearch } from "./search";
import { shownWatchers, type Watcher } from "./watchers";

type Gateway = GatewaysQuery["gateways"]["nodes"][number];

export default function GatewaysPage() {
  return (
    <OperatorsOnly>
      <Page title="Gateways">
        <div className={styles["page"]}>
          <Gateways />
          <section aria-labelledby="subscriptions">
            <h2 id="subscriptions">Subscriptions of this instance</h2>
            <Subscriptions />
          </section>
        </div>
      </Page>
    </OperatorsOnly>
  );
}

/** The gateways of an environment, as all instances know them. */
function Gateways() {
  const search = useSearch({ from: "/frame/platform/gateways" });
  const navigate = useNavigate({ from: "/platform/gateways" });
  const set = (change: Partial<GatewaysSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const environment = search.environment ?? "production";
  const list = usePages(GatewaysDocument, { environment, filter: search.behind ? { isBehind: true } : null }, (data) => data.gateways, { every: 5000 });
  const known = useData(GatewayEnvironmentsDocument, {}, { enabled: list.first !== undefined, keep: true });
  const keys = useMemo(() => [...new Set(["production", environment, ...(known.data?.customers.nodes ?? []).flatMap((one) => one.environments.map(({ key }) => key))])], [known.data, environment]);
  const number = list.first?.gateways.totalCount ?? 0;
  return (
    <section aria-labelledby="gateways">
      <h2 id="gateways" className="unseen">
        Gateways of {environment}
      </h2>
      <Filters count={list.first && count(number, "gateway")} onClear={(search.environment ?? search.behind) !== undefined && (() => set({ environment: undefined, behind: undefined }))}>
        <SelectFilter required label="Environment" value={environment} onChange={(key) => set({ environment: key === "production" ? undefined : key })}>
          {keys.map((key) => (
            <option key={key} value={key}>
              in {key}
            </option>
          ))}
        </SelectFilter>
        <label className={styles["toggle"]}>
          <input type="checkbox" checked={search.behind ?? false} onChange={({ target }) => set({ behind: target.checked || undefined })} /> Only those behind
        </label>
      </Filters>
      {list.error ? (
        <Fault error={list.error} retry={list.refetch} what="gateways" />
      ) : !list.first ? (
        <Skeleton rows={6} height={28} />
      ) : list.rows.length === 0 && search.behind ? (
        <Empty title="No gateway is behind" action={<Button onClick={() => set({ behind: undefined })}>Show all gateways</Button>} />
      ) : list.rows.length === 0 ? (
        <Empty title={`No gateway serves ${environment} yet`} command="agent-registry watch --help" action={<Link to="/platform/service-tokens">Make a service token</Link>}>
          A gateway appears here when it reports what it serves, or subscribes to configurations. Its name stays for an hour after its last report.
        </Empty>
      ) : (
        <Table
          label="Gateways"
          columns={GATEWAY_COLUMNS}
          rows={list.rows}
          keyOf={({ id }) => id}
          onEnd={list.more}
          second={({ lastReportAt, build }) => (
            <>
              {lastReportAt ? <Time at={lastReportAt} /> : "never reported"}
              {build && ` · ${build}`}
            </>
          )}
        />
      )}
    </section>
  );
}

const TONES = { LIVE: "ok", LATE: "warn", SILENT: "plain", GONE: "plain" } as const;

const GATEWAY_COLUMNS: Column<Gateway>[] = [
  {
    key: "name",
    label: "Name",
    clip: true,
    cell: ({ name, actor }) => (
      <>
        <b className={styles["name"]}>{name}</b> <span className="muted">with {actor.displayName}</span>
      </>
    ),
  },
  { key: "state", label: "State", always: true, cell: ({ state }) => <Badge tone={TONES[state]}>{gatewayWord(state)}</Badge> },
  {
    key: "refuses",
    label: "Refuses",
    cell: ({ rejections: [first, ...rest] }) =>
      first ? (
        <span title={first.message ?? undefined}>
          <Badge tone="bad">
            {first.agent.name} {first.version.number}
          </Badge>{" "}
          {rejectionWord(first.code)}
          {rest.length > 0 && `, and ${rest.length} more`}
        </span>
      ) : (
        <span className="muted">nothing</span>
      ),
  },
  { key: "build", label: "Build", cell: ({ build, clientName, clientVersion }) => build ?? [clientName, clientVersion].filter(Boolean).join(" ") },
  { key: "region", label: "Region", cell: ({ region }) => region },
  { key: "revision", label: "Applied", right: true, cell: ({ appliedRevision }) => appliedRevision ?? <span className="muted">–</span> },
  { key: "behind", label: "Behind", right: true, cell: ({ behind }) => <Behind behind={behind} /> },
  { key: "report", label: "Last report", cell: ({ lastReportAt }) => (lastReportAt ? <Time at={lastReportAt} /> : <span className="muted">never</span>) },
];

function Subscriptions() {
  const search = useSearch({ from: "/frame/platform/gateways" });
  const navigate = useNavigate({ from: "/platform/gateways" });
  const set = (change: Partial<GatewaysSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const list = usePages(WatchersDocument, {}, (data) => data.watchers, { every: 5000 });
  // The filters are the page's own, so the whole list is read.
  const { more, hasMore } = list;
  useEffect(() => {
    if (hasMore) more();
  }, [hasMore, more, list.rows.length]);
  const rows = useMemo(() => shownWatchers(list.rows, { watched: search.watched }), [list.rows, search.watched]);
  const ids = useMemo(() => [...new Set(list.rows.flatMap(({ customerId }) => customerId ?? []))].sort().slice(0, 100), [list.rows]);
  const customers = useData(WatchedCustomersDocument, { ids }, { enabled: ids.length > 0, keep: true });
  const names = useMemo(() => new Map((customers.data?.nodes ?? []).flatMap((node) => (node && "name" in node ? [[node.id, node.name] as const] : []))), [customers.data]);
  const behind = list.rows.filter((one) => one.behind > 0).length;
  const isFiltered = Boolean(search.watched);
  if (list.error) return <Fault error={list.error} retry={list.refetch} what="subscriptions" />;
  if (!list.first) return <Skeleton rows={4} height={28} />;
  if (list.rows.length === 0) {
    return (
      <Empty title="Nobody is subscribed">A gateway or a dashboard is listed here while it is connected to the instance that answered. Other instances have their own.</Empty>
    );
  }
  return (
    <>
      <p className={styles["lead"]}>
        {behind > 0 ? <Badge tone="warn">{behind} behind</Badge> : <Badge tone="ok">All up to date</Badge>} with revision {list.first.revision}, on the instance that answered. Other instances have their own.
      </p>
      <Filters count={count(rows.length, "subscription")} onClear={isFiltered && (() => set({ watched: undefined }))}>
        <SelectFilter label="What is watched" value={search.watched} onChange={(watched) => set({ watched: watched as GatewaysSearch["watched"] })}>
          <option value="">Everything watched</option>
          <option value="CONFIGS">Configurations</option>
          <option value="ACTIVATIONS">Activations</option>
          <option value="CHANGES">The audit</option>
          <option value="CUSTOMER_EVENTS">Customers’ events</option>
        </SelectFilter>
      </Filters>
      {rows.length === 0 ? <Empty title="No subscription matches" action={<Button onClick={() => set({ watched: undefined })}>Clear filters</Button>} /> : <List rows={rows} names={names} />}
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
      label="Subscriptions"
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
