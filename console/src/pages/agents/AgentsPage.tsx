import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import type { AgentRowFragment } from "~/__generated__/graphql";
import { openActivation } from "~/activation";
import { usePages } from "~/api/pages";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import type { Action } from "~/frame/actions";
import { Page } from "~/frame/Page";
import { useCustomer, useViewer, type FrameEnvironment } from "~/frame/scope";
import { preferences } from "~/preferences";
import { Button } from "~/ui/Button";
import { Chip, Filters, SearchFilter, SelectFilter } from "~/ui/Filters";
import { CheckField } from "~/ui/Form";
import { EnvironmentMark } from "~/ui/marks";
import { Menu, MenuItem, MenuLine, MenuLink } from "~/ui/Menu";
import { Empty, Fault, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { count } from "~/words";
import { ArchiveAgent, CreateAgent, RestoreAgent } from "./AgentDialogs";
import styles from "./AgentsPage.module.css";
import { Columns } from "./Columns";
import { AgentCountDocument, AgentsDocument, ModelsDocument } from "./documents";
import { firstDirection, isFiltered, requestOf, type AgentsSearch } from "./search";
import { useLiveRows } from "./useLiveRows";

type Row = AgentRowFragment;
type Asked = { kind: "archive" | "restore"; row: Row } | { kind: "create" } | null;

export default function AgentsPage() {
  const customer = useCustomer();
  const search = useSearch({ from: "/frame/c/$customer/agents" });
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked>(null);
  const change = (next: Partial<AgentsSearch>) => void navigate({ to: "/c/$customer/agents", params: { customer: customer.id }, search: { ...search, ...next }, replace: true });
  const why = customer.why("WRITE_AGENTS");
  const actions = useMemo<Action[]>(() => [
    { label: "Import a file…", icon: "file", reason: why, onSelect: () => void navigate({ to: "/c/$customer/import", params: { customer: customer.id } }) },
    { label: "Create agent", kind: "filled", icon: "add", shortcut: "n", reason: why, onSelect: () => setAsked({ kind: "create" }) },
  ], [why, navigate, customer.id]);
  return (
    <Page title="Agents" actions={actions}>
      <List search={search} change={change} ask={setAsked} />
      {asked?.kind === "create" && <CreateAgent onClose={() => setAsked(null)} />}
      {asked?.kind === "archive" && <ArchiveAgent agent={asked.row} serving={servingKeys(asked.row)} onClose={() => setAsked(null)} />}
      {asked?.kind === "restore" && <RestoreAgent agent={asked.row} onClose={() => setAsked(null)} />}
    </Page>
  );
}

function servingKeys({ servings }: Row): string[] {
  return servings.filter(({ activeVersion }) => activeVersion).map(({ environment }) => environment.key);
}

function List({ search, change, ask }: { search: AgentsSearch; change: (next: Partial<AgentsSearch>) => void; ask: (asked: Asked) => void }) {
  const customer = useCustomer();
  const navigate = useNavigate();
  const { environment, filter, order } = requestOf(search);
  const list = usePages(AgentsDocument, { customer: customer.id, environment, filter, order }, (data) => data.agents, { still: true });
  const total = useData(AgentCountDocument, { customer: customer.id, environment, filter }, { keep: true, topics: [topic.agents(customer.id)] });
  const { missing, reset } = useLiveRows(customer.id, environment);
  const stored = useSyncExternalStore(preferences.subscribe, () => preferences.hiddenColumns("agents").join(" "));
  const hidden = useMemo(() => stored.split(" ").filter(Boolean), [stored]);
  // The rows are rendered again when one of these is another one.
  const open = useCallback((row: Row) => void navigate({ to: "/c/$customer/agents/$agent", params: { customer: customer.id, agent: row.id } }), [navigate, customer.id]);
  const all = useColumns(search, ask);
  const columns = useMemo(() => all.filter(({ key }) => !hidden.includes(key)), [all, hidden]);
  const number = total.data?.agents;
  const words = number && `${number.totalCountIsExact ? "" : "over "}${count(number.totalCount, "agent")}`;
  const choosable = all.filter(({ name }) => name).map(({ key, name }) => ({ key, label: name ?? key }));
  return (
    <>
      <Controls search={search} change={change} count={words} isReady={list.first !== undefined} columns={<Columns columns={choosable} hidden={hidden} onChange={(next) => preferences.setHiddenColumns("agents", next)} />} />
      {missing > 0 && (
        <p className={styles["news"]} role="status">
          {count(missing, "new agent")} since this list was read.{" "}
          <Button
            kind="link"
            onClick={() => {
              reset();
              list.refetch();
            }}
          >
            Show
          </Button>
        </p>
      )}
      {list.error ? (
        <Fault error={list.error} retry={list.refetch} what="agents" />
      ) : list.first === undefined ? (
        <Skeleton rows={12} height={28} />
      ) : list.rows.length === 0 ? (
        <Nothing search={search} clear={() => change(CLEARED)} create={() => ask({ kind: "create" })} />
      ) : (
        <div className={list.isOld ? styles["old"] : undefined}>
          <Table
            label="Agents"
            columns={columns}
            rows={list.rows}
            keyOf={idOf}
            total={number?.totalCount}
            sort={order as { field: string; direction: "ASC" | "DESC" }}
            onSort={({ field, direction }) => change({ order: field as AgentsSearch["order"], direction: field === order.field ? direction : firstDirection(field) })}
            onOpen={open}
            second={secondOf}
            onEnd={list.more}
          />
        </div>
      )}
    </>
  );
}

const idOf = ({ id }: Row) => id;
const secondOf = (row: Row) => <Second row={row} />;

const CLEARED: AgentsSearch = { q: undefined, model: undefined, tool: undefined, owner: undefined, serving: undefined, behind: undefined, archived: undefined };

function Nothing({ search, clear, create }: { search: AgentsSearch; clear: () => void; create: () => void }) {
  const customer = useCustomer();
  if (isFiltered(search)) return <Empty title="No agent matches" action={<Button onClick={clear}>Clear filters</Button>} />;
  return (
    <Empty
      title="No agent yet"
      command={`agent-registry import --customer ${customer.id} agents.json`}
      action={
        <>
          <Button icon="add" reason={customer.why("WRITE_AGENTS")} onClick={create}>
            Create agent
          </Button>
          <Link to="/c/$customer/import" params={{ customer: customer.id }}>
            Import a file
          </Link>
        </>
      }
    >
      An agent is a lasting name. Versions of its prompt, model and tools are published under it, and one of them serves in each environment.
    </Empty>
  );
}

/** A search that writes to the address once the typing pauses. */
function useTyped(value: string, commit: (value: string) => void): [string, (value: string) => void] {
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setTyped(value);
  }
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => commit(typed), 250);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only what is typed counts
  }, [typed, value]);
  return [typed, setTyped];
}

function Controls({ search, change, count: words, isReady, columns }: { search: AgentsSearch; change: (next: Partial<AgentsSearch>) => void; count: ReactNode; isReady: boolean; columns: ReactNode }) {
  const customer = useCustomer();
  const { user } = useViewer();
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useTyped(search.q ?? "", (q) => change({ q: q.trim() || undefined }));
  const models = useData(ModelsDocument, { customer: customer.id, environment: search.environment ?? null }, { enabled: isReady, topics: [topic.agents(customer.id)], keep: true });
  const names = models.data?.modelsInUse.map(({ name }) => name) ?? [];
  const known = search.model && !names.includes(search.model) ? [search.model, ...names] : names;
  return (
    <Filters count={words} onClear={isFiltered(search) && (() => change(CLEARED))}>
      <SearchFilter label="Name" value={typed} onChange={setTyped} />
      <Button kind="quiet" className={styles["more"]} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Filters
      </Button>
      <div className={styles["filters"]} data-open={isOpen || undefined}>
        {customer.environments.length > 1 && (
          <SelectFilter label="Environment of the filters" value={search.environment} onChange={(environment) => change({ environment })}>
            {customer.environments.map(({ key, isDefault }) => (
              <option key={key} value={isDefault ? "" : key}>
                in {key}
              </option>
            ))}
          </SelectFilter>
        )}
        <SelectFilter
          label="Serving"
          value={search.behind ? "behind" : search.serving}
          onChange={(value) => change({ serving: value === "yes" || value === "no" ? value : undefined, behind: value === "behind" ? true : undefined })}
        >
          <option value="">Serving or not</option>
          <option value="yes">Serving</option>
          <option value="no">Serving nothing</option>
          <option value="behind">Not the latest version</option>
        </SelectFilter>
        {known.length > 0 && (
          <SelectFilter label="Model" value={search.model} onChange={(model) => change({ model })}>
            <option value="">Any model</option>
            {known.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </SelectFilter>
        )}
        {user && <CheckField name="owner" label="Mine" checked={search.owner === user.id} onChange={({ target }) => change({ owner: target.checked ? user.id : undefined })} />}
        <CheckField name="archived" label="Archived" checked={search.archived ?? false} onChange={({ target }) => change({ archived: target.checked || undefined })} />
        {search.owner && search.owner !== user?.id && <Chip onRemove={() => change({ owner: undefined })}>One owner</Chip>}
        {search.tool && <Chip onRemove={() => change({ tool: undefined })}>Tool: {search.tool}</Chip>}
        {columns}
      </div>
    </Filters>
  );
}

/** Fades for a moment when its value changes while it is seen. */
function Moving({ value, children }: { value: string; children: ReactNode }) {
  const [first] = useState(value);
  return (
    <span key={value} data-moved={value === first ? undefined : ""} className={styles["moving"]}>
      {children}
    </span>
  );
}

function Served({ row, environment }: { row: Row; environment: { key: string } }) {
  const serving = row.servings.find((one) => one.environment.key === environment.key);
  const version = serving?.activeVersion ?? null;
  const newest = row.latestVersion?.number ?? 0;
  return (
    <Moving value={`${version?.number ?? 0} ${newest}`}>
      {version ? <span className={styles["number"]}>{version.number}</span> : <span className="muted">–</span>}
      {version && newest > version.number && <span className={styles["newer"]}>{newest} newer</span>}
    </Moving>
  );
}

function modelOf({ servings }: Row, environment: string | undefined): string {
  const serving = environment ? servings.find((one) => one.environment.key === environment) : servings.find((one) => one.environment.isDefault);
  return serving?.activeVersion?.modelName ?? "";
}

type AgentColumn = Column<Row> & { name?: string };

function useColumns(search: AgentsSearch, ask: (asked: Asked) => void): AgentColumn[] {
  const customer = useCustomer();
  const { environment } = search;
  return useMemo(() => {
    const environments: AgentColumn[] = customer.environments.map((one: FrameEnvironment) => ({
      key: `in-${one.key}`,
      name: one.key,
      label: <EnvironmentMark environment={one} />,
      width: 132,
      cell: (row) => <Served row={row} environment={one} />,
    }));
    return [
      {
        key: "name",
        label: "Name",
        clip: true,
        sort: "NAME",
        cell: (row) => (
          <Link to="/c/$customer/agents/$agent" params={{ customer: customer.id, agent: row.id }} className={styles["name"]}>
            {row.name}
          </Link>
        ),
      },
      { key: "owner", name: "Owner", label: "Owner", width: 140, cell: ({ owner }) => <span className={styles["cut"]}>{owner ? (owner.name ?? owner.email) : <span className="muted">–</span>}</span> },
      ...environments,
      { key: "model", name: "Model", label: "Model", width: 160, sort: "MODEL_NAME", cell: (row) => <span className={styles["model"]}>{modelOf(row, environment)}</span> },
      {
        key: "activated",
        name: "Last activation",
        label: "Last activation",
        width: 130,
        sort: "LAST_ACTIVATED_AT",
        cell: ({ latestActivation: latest }) => (latest ? <Time at={latest.activatedAt} /> : <span className="muted">never</span>),
      },
      { key: "do", label: <span className="unseen">Actions</span>, width: 84, right: true, always: true, cell: (row) => <RowActions row={row} ask={ask} /> },
    ];
  }, [customer, environment, ask]);
}

function Second({ row }: { row: Row }) {
  const { servings } = row;
  return (
    <span className={styles["second"]}>
      {servings.map((serving) => (
        <span key={serving.environment.key}>
          <EnvironmentMark environment={serving.environment} /> {serving.activeVersion?.number ?? "–"}
        </span>
      ))}
    </span>
  );
}

/** Rolling back production is one click away; the rest is in a menu. */
function RowActions({ row, ask }: { row: Row; ask: (asked: Asked) => void }) {
  const customer = useCustomer();
  const navigate = useNavigate();
  const main = row.servings.find(({ environment }) => environment.isDefault);
  const mayWrite = row.viewerPermissions.includes("WRITE_AGENTS");
  const mayPublish = row.viewerPermissions.includes("PUBLISH_VERSIONS");
  const params = { customer: customer.id, agent: row.id };
  return (
    <span className={styles["do"]}>
      {main?.activeVersion && main.activeVersion.number > 1 && (
        <Button
          kind="quiet"
          small
          icon="undo"
          iconOnly
          reason={!main.viewerPermissions.includes("ACTIVATE_VERSIONS") && (customer.why("ACTIVATE_VERSIONS") ?? `${main.environment.key} needs an admin`)}
          onClick={() => openActivation({ kind: "rollback", agentId: row.id, environment: main.environment.key })}
        >
          Roll back {row.name} in {main.environment.key}…
        </Button>
      )}
      <Menu
        trigger={
          <Button kind="quiet" small icon="more" iconOnly>
            Actions for {row.name}
          </Button>
        }
      >
        <MenuItem icon="add" reason={!mayPublish && (row.archivedAt ? "It is archived" : (customer.why("PUBLISH_VERSIONS") ?? "Needs an editor"))} onSelect={() => void navigate({ to: "/c/$customer/agents/$agent/publish", params })}>
          New version
        </MenuItem>
        <MenuLink>
          <Link to="/c/$customer/agents/$agent" params={params} search={{ tab: "activity" }}>
            Activity
          </Link>
        </MenuLink>
        <MenuItem
          icon="copy"
          onSelect={() => {
            void navigator.clipboard.writeText(row.id).then(() => toast(`Copied the id of ${row.name}.`));
          }}
        >
          Copy id
        </MenuItem>
        <MenuLine />
        {row.archivedAt ? (
          <MenuItem reason={customer.why("WRITE_AGENTS")} onSelect={() => ask({ kind: "restore", row })}>
            Restore…
          </MenuItem>
        ) : (
          <MenuItem danger reason={!mayWrite && (customer.why("WRITE_AGENTS") ?? "Needs an editor")} onSelect={() => ask({ kind: "archive", row })}>
            Archive…
          </MenuItem>
        )}
      </Menu>
    </span>
  );
}
