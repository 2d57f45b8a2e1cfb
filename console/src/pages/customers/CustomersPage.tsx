import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import type { BillingStatus, CustomerRowFragment } from "~/__generated__/graphql";
import { usePages } from "~/api/pages";
import { OperatorsOnly } from "~/frame/Operators";
import { Page } from "~/frame/Page";
import { useViewer, whyNotPlatform } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { Filters, SearchFilter, SelectFilter } from "~/ui/Filters";
import { Badge, type Tone } from "~/ui/marks";
import { Menu, MenuItem, MenuLine } from "~/ui/Menu";
import { Empty, Fault, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time } from "~/ui/Time";
import { billingWord, count, planWord } from "~/words";
import { customerFilter, customerOrder, whyNotErase, whyNotResume, whyNotStatus } from "./billing";
import styles from "./CustomersPage.module.css";
import { CreateDialog, EraseDialog, PlanDialog, RenameDialog, StatusDialog } from "./dialogs";
import { CustomersDocument } from "./documents";
import type { CustomersSearch } from "./search";

type Customer = CustomerRowFragment;
type Open = { kind: "create" } | { kind: "rename" | "plan" | "suspend" | "resume" | "cancel" | "due" | "erase"; customer: Customer };

const TONES: Record<BillingStatus, Tone> = { TRIALING: "accent", ACTIVE: "ok", PAST_DUE: "warn", SUSPENDED: "bad", CANCELED: "plain" };

export default function CustomersPage() {
  return (
    <OperatorsOnly>
      <Customers />
    </OperatorsOnly>
  );
}

function Customers() {
  const viewer = useViewer();
  const search = useSearch({ from: "/frame/platform/customers" });
  const navigate = useNavigate({ from: "/platform/customers" });
  const [open, setOpen] = useState<Open | null>(null);
  const why = whyNotPlatform(viewer, "CREATE_CUSTOMER");
  const actions = useMemo(() => [{ label: "Create a customer…", icon: "add" as const, kind: "filled" as const, reason: why, shortcut: "n", onSelect: () => setOpen({ kind: "create" }) }], [why]);
  const filter = useMemo(() => customerFilter(search), [search]);
  const orderBy = useMemo(() => customerOrder(search), [search]);
  const list = usePages(CustomersDocument, { filter, orderBy }, (data) => data.customers, { topics: ["customers"] });
  const set = (change: Partial<CustomersSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const isFiltered = Object.keys(filter).length > 0;
  const total = list.first?.customers;
  const close = () => setOpen(null);
  return (
    <Page title="Customers" actions={actions}>
      <Filters
        onClear={isFiltered && (() => set({ q: undefined, plan: undefined, status: undefined }))}
        count={total && (total.totalCountIsExact ? count(total.totalCount, "customer") : `over ${count(total.totalCount, "customer")}`)}
      >
        <NameFilter value={search.q ?? ""} onChange={(q) => set({ q: q || undefined })} />
        <SelectFilter label="Plan" value={search.plan} onChange={(plan) => set({ plan: plan as CustomersSearch["plan"] })}>
          <option value="">Every plan</option>
          {(["FREE", "PRO", "ENTERPRISE"] as const).map((plan) => (
            <option key={plan} value={plan}>
              {planWord(plan)}
            </option>
          ))}
        </SelectFilter>
        <SelectFilter label="Billing status" value={search.status} onChange={(status) => set({ status: status as CustomersSearch["status"] })}>
          <option value="">Every billing status</option>
          {(["TRIALING", "ACTIVE", "PAST_DUE", "SUSPENDED", "CANCELED"] as const).map((status) => (
            <option key={status} value={status}>
              {billingWord(status)}
            </option>
          ))}
        </SelectFilter>
      </Filters>
      {list.error ? (
        <Fault error={list.error} retry={list.refetch} what="customers" />
      ) : !list.first ? (
        <Skeleton rows={12} height={28} />
      ) : list.rows.length === 0 ? (
        isFiltered ? (
          <Empty title="No customer matches" action={<Button onClick={() => set({ q: undefined, plan: undefined, status: undefined })}>Clear filters</Button>} />
        ) : (
          <Empty
            title="There is no customer yet"
            command={'agent-registry customer create --name "City of Springfield"'}
            action={
              <Button icon="add" reason={why} onClick={() => setOpen({ kind: "create" })}>
                Create a customer…
              </Button>
            }
          >
            A customer has agents, people and keys of its own, and sees nothing of the others.
          </Empty>
        )
      ) : (
        <List
          rows={list.rows}
          total={total?.totalCount ?? list.rows.length}
          more={list.more}
          sort={orderBy.direction ? { field: orderBy.field, direction: orderBy.direction } : null}
          onSort={({ field, direction }) => set({ order: field as CustomersSearch["order"], direction })}
          setOpen={setOpen}
          open={(customer) => void navigate({ to: "/c/$customer", params: { customer: customer.id } })}
        />
      )}
      {open?.kind === "create" && <CreateDialog onClose={close} />}
      {open?.kind === "rename" && <RenameDialog customer={open.customer} onClose={close} />}
      {open?.kind === "plan" && <PlanDialog customer={open.customer} onClose={close} />}
      {open?.kind === "erase" && <EraseDialog customer={open.customer} onClose={close} />}
      {(open?.kind === "suspend" || open?.kind === "resume" || open?.kind === "cancel" || open?.kind === "due") && <StatusDialog kind={open.kind} customer={open.customer} onClose={close} />}
    </Page>
  );
}

/** The address follows what is typed after a quarter of a second. */
function NameFilter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  useEffect(() => {
    if (typed === null) return;
    const timer = setTimeout(() => {
      onChange(typed.trim());
      setTyped(null);
    }, 250);
    return () => clearTimeout(timer);
  }, [typed, onChange]);
  return <SearchFilter label="Name of a customer" value={typed ?? value} onChange={setTyped} />;
}

interface ListProps {
  rows: readonly Customer[];
  total: number;
  more: () => void;
  sort: { field: string; direction: "ASC" | "DESC" } | null;
  onSort: (sort: { field: string; direction: "ASC" | "DESC" }) => void;
  setOpen: (open: Open) => void;
  open: (customer: Customer) => void;
}

function List({ rows, total, more, sort, onSort, setOpen, open }: ListProps) {
  const columns: Column<Customer>[] = [
    {
      key: "name",
      label: "Name",
      clip: true,
      sort: "NAME",
      cell: (customer) => (
        <Link to="/c/$customer" params={{ customer: customer.id }}>
          {customer.name}
        </Link>
      ),
    },
    { key: "external", label: "External id", cell: ({ externalId }) => <span className="mono">{externalId}</span> },
    { key: "plan", label: "Plan", cell: ({ plan }) => plan && planWord(plan) },
    { key: "status", label: "Billing", cell: (customer) => <Status customer={customer} /> },
    { key: "agents", label: "Agents", right: true, cell: ({ usage }) => <Used quota={usage?.agents} /> },
    { key: "members", label: "Members", right: true, cell: ({ usage }) => <Used quota={usage?.members} /> },
    { key: "keys", label: "Keys", right: true, cell: ({ usage }) => <Used quota={usage?.apiKeys} /> },
    { key: "activity", label: "Last change", sort: "LAST_ACTIVITY_AT", cell: ({ lastActivityAt }) => <Time at={lastActivityAt} /> },
    { key: "created", label: "Created", sort: "CREATED_AT", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { key: "menu", label: <span className="unseen">Actions</span>, always: true, right: true, cell: (customer) => <RowMenu customer={customer} setOpen={setOpen} /> },
  ];
  return (
    <Table
      label="Customers"
      columns={columns}
      rows={rows}
      total={total}
      keyOf={({ id }) => id}
      onEnd={more}
      onOpen={open}
      sort={sort}
      onSort={onSort}
      second={(customer) => (
        <>
          {customer.plan && planWord(customer.plan)} · <Status customer={customer} /> · {customer.usage && count(customer.usage.agents.used, "agent")}
        </>
      )}
    />
  );
}

function Status({ customer: { billing, erasedAt } }: { customer: Customer }) {
  if (erasedAt) return <Badge>Erased</Badge>;
  return billing && <Badge tone={TONES[billing.status] ?? "plain"}>{billingWord(billing.status)}</Badge>;
}

/** "44 / 50", with a sign when nine tenths are used. */
function Used({ quota }: { quota: { used: number; limit: number } | null | undefined }) {
  if (!quota) return null;
  const isTight = quota.used >= quota.limit * 0.9;
  return (
    <span className={styles["used"]} data-tight={isTight || undefined} title={isTight ? "Nine tenths of the plan or more" : undefined}>
      {quota.used.toLocaleString("en")}
      <span> / {quota.limit.toLocaleString("en")}</span>
    </span>
  );
}

function RowMenu({ customer, setOpen }: { customer: Customer; setOpen: (open: Open) => void }) {
  const status = customer.billing?.status ?? "ACTIVE";
  const erased = customer.erasedAt ? "Its data is erased" : null;
  return (
    <Menu
      trigger={
        <Button kind="quiet" small icon="more" iconOnly>
          Actions for {customer.name}
        </Button>
      }
    >
      <MenuItem reason={erased} onSelect={() => setOpen({ kind: "rename", customer })}>
        Change name or external id…
      </MenuItem>
      <MenuItem reason={erased} onSelect={() => setOpen({ kind: "plan", customer })}>
        Set the plan…
      </MenuItem>
      <MenuItem reason={whyNotStatus(status, "PAST_DUE")} onSelect={() => setOpen({ kind: "due", customer })}>
        Mark as payment due…
      </MenuItem>
      <MenuLine />
      <MenuItem reason={whyNotResume(status)} onSelect={() => setOpen({ kind: "resume", customer })}>
        Resume…
      </MenuItem>
      <MenuItem danger reason={whyNotStatus(status, "SUSPENDED")} onSelect={() => setOpen({ kind: "suspend", customer })}>
        Suspend…
      </MenuItem>
      <MenuItem danger reason={whyNotStatus(status, "CANCELED")} onSelect={() => setOpen({ kind: "cancel", customer })}>
        Cancel for good…
      </MenuItem>
      <MenuItem danger reason={whyNotErase(status, customer.erasedAt)} onSelect={() => setOpen({ kind: "erase", customer })}>
        Erase its data…
      </MenuItem>
    </Menu>
  );
}
