import { useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { AuditAroundQuery, AuditEntryFragment, AuditQuery } from "~/__generated__/graphql";
import { live } from "~/api/live";
import { usePages } from "~/api/pages";
import { client, useData } from "~/api/query";
import { Page } from "~/frame/Page";
import { useCustomer } from "~/frame/scope";
import { day, timeZone } from "~/time";
import { Button } from "~/ui/Button";
import { Badge, ShortId } from "~/ui/marks";
import { Empty, Fault, Refused, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { count } from "~/words";
import { AuditAroundDocument, AuditDocument, NewerChangesDocument } from "./documents";
import { AuditFilters } from "./AuditFilters";
import styles from "./AuditPage.module.css";
import { Entry } from "./Entry";
import { csvAddress, excerptAddress, filterOf, isFiltered } from "./filter";
import { useRevision } from "./revision";

type Item = AuditEntryFragment;

/** Starts a download without leaving the page. */
function download(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}

export default function AuditPage() {
  const { customer: id } = useParams({ from: "/frame/c/$customer/audit" });
  const customer = useCustomer();
  const search = useSearch({ from: "/frame/c/$customer/audit" });
  const filter = useMemo(() => filterOf(search, timeZone()), [search]);
  const why = customer.why("READ_CHANGES");
  const actions = useMemo(
    () => [
      { label: "Download the excerpt", icon: "file" as const, reason: why, onSelect: () => download(excerptAddress(id)) },
      { label: "Download as CSV", icon: "file" as const, reason: why, onSelect: () => download(csvAddress(id, filter)) },
    ],
    [id, filter, why],
  );
  return (
    <Page title="Audit" actions={actions}>
      {customer.may("READ_CHANGES") ? <Log /> : <Refused what="the audit" />}
    </Page>
  );
}

function Log() {
  const { customer } = useParams({ from: "/frame/c/$customer/audit" });
  const search = useSearch({ from: "/frame/c/$customer/audit" });
  const filter = useMemo(() => filterOf(search, timeZone()), [search]);
  const isOne = search.revision !== undefined;
  const list = usePages(AuditDocument, { customer, filter }, (data) => data.customer?.changes, { enabled: !isOne, still: true });
  const around = useData(AuditAroundDocument, { customer, filter }, { enabled: isOne || list.first !== undefined, keep: true });
  const one = useRevision(customer, search.revision);
  const rows = useMemo(() => (isOne ? (one.data ?? []) : list.rows), [isOne, one.data, list.rows]);
  const names = useMemo(() => {
    const agent = rows.find((row) => row.agent?.id === search.agent)?.agent?.name;
    const actor = rows.find((row) => row.actor.id === search.actor)?.actor.displayName;
    return { agent, actor };
  }, [rows, search.agent, search.actor]);
  const error = isOne ? one.error : list.error;
  const isWaiting = isOne ? one.isPending : !list.first;
  return (
    <>
      <Chain status={around.data?.auditStatus} />
      <AuditFilters search={search} customer={customer} names={names} count={isOne ? undefined : totalOf(around.data)} />
      {error ? (
        <Fault error={error} retry={() => (isOne ? void one.refetch() : list.refetch())} what="the audit" />
      ) : isWaiting ? (
        <Skeleton rows={12} height={28} />
      ) : rows.length === 0 ? (
        <Nothing isOne={isOne} isNarrow={isFiltered(search)} revision={search.revision} />
      ) : (
        <List rows={rows} customer={customer} open={search.entry ?? (isOne ? rows[0]?.id : undefined)} isOld={!isOne && list.isOld}>
          {isOne ? null : <Newer customer={customer} filter={filter} cursor={startCursor(list.first)} show={() => void showNewer(list.refetch)} />}
        </List>
      )}
      {!isOne && <More list={list} />}
    </>
  );
}

function startCursor(first: AuditQuery | undefined): string | null {
  return first?.customer?.changes?.pageInfo.startCursor ?? null;
}

async function showNewer(refetch: () => void): Promise<void> {
  refetch();
  await client.invalidateQueries({ queryKey: ["AuditAround"] });
  scrollTo({ top: 0 });
}

function totalOf(around: AuditAroundQuery | undefined): string | undefined {
  const changes = around?.customer?.changes;
  if (!changes) return undefined;
  return changes.totalCountIsExact ? count(changes.totalCount, "change") : `over ${count(changes.totalCount, "change")}`;
}

function Nothing({ isOne, isNarrow, revision }: { isOne: boolean; isNarrow: boolean; revision?: string }) {
  if (isOne) return <Empty title={`Revision ${revision} isn’t a change of this customer`}>A commit has its number across all customers. This one was about another, or is too old to be kept.</Empty>;
  if (isNarrow) return <Empty title="No change matches">Clear a filter, or choose a longer time.</Empty>;
  return <Empty title="Nothing has changed yet">Each write to this customer appears here, with who made it, and what was before.</Empty>;
}

/** "Chain verified up to revision 1,234": the result of the service's own check. */
function Chain({ status }: { status: AuditAroundQuery["auditStatus"] | undefined }) {
  if (!status) return <div className={styles["chain"]} />;
  const { verifiedRevision, verifiedAt, isIntact, chainHash, revision } = status;
  if (isIntact === false) {
    return (
      <div className={styles["chain"]} role="alert">
        <Badge tone="bad">The log was tampered with</Badge>
        <span>
          The chain holds up to revision {verifiedRevision ?? "0"} alone. Compare with a signed head, and run <code>agent-registry audit verify</code>.
        </span>
      </div>
    );
  }
  return (
    <div className={styles["chain"]}>
      {verifiedRevision ? (
        <>
          <Badge tone="ok">Chain verified up to revision {verifiedRevision}</Badge>
          {verifiedAt && <Time at={verifiedAt} />}
        </>
      ) : (
        <Badge>Chain not checked yet</Badge>
      )}
      <span className="muted">
        Head {revision}, hash <ShortId id={chainHash} name="the head" />
      </span>
    </div>
  );
}

/** The entries by day. Entries that "Show" has brought fade from the accent. */
function List({ rows, customer, open, isOld, children }: { rows: readonly Item[]; customer: string; open: string | undefined; isOld: boolean; children: ReactNode }) {
  const top = useRef<bigint | null>(null);
  const [known, setKnown] = useState<bigint | null>(null);
  const newest = rows[0] ? BigInt(rows[0].revision) : 0n;
  useEffect(() => {
    if (top.current !== null && newest > top.current) setKnown(top.current);
    top.current = newest;
  }, [newest]);
  const days = useMemo(() => byDay(rows), [rows]);
  return (
    <div className={styles["log"]} data-rows="Changes" aria-busy={isOld || undefined}>
      {children}
      {days.map(({ label, entries }) => (
        <section key={label} aria-label={label}>
          <h2 className={styles["day"]}>{label}</h2>
          <ol>
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} customer={customer} isOpen={entry.id === open} isNew={known !== null && BigInt(entry.revision) > known} />
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

function byDay(rows: readonly Item[]): { label: string; entries: Item[] }[] {
  const days: { label: string; entries: Item[] }[] = [];
  for (const row of rows) {
    const label = day(row.at);
    const last = days.at(-1);
    if (last?.label === label) last.entries.push(row);
    else days.push({ label, entries: [row] });
  }
  return days;
}

/** "3 newer changes · Show": rows never move by themselves. People and keys move without an event, so they are asked for. */
function Newer({ customer, filter, cursor, show }: { customer: string; filter: ReturnType<typeof filterOf>; cursor: string | null; show: () => void }) {
  const query = useData(NewerChangesDocument, { customer, filter, before: cursor ?? "" }, { enabled: cursor !== null, every: 15_000 });
  const { refetch } = query;
  useEffect(() => live.onEvent(() => void refetch()), [refetch]);
  const number = query.data?.customer?.changes?.nodes.length ?? 0;
  if (number === 0) return null;
  return (
    <div className={styles["newer"]} role="status">
      <span>{number >= 100 ? "100 newer changes or more" : count(number, "newer change")}</span>
      <Button kind="link" onClick={show}>
        Show
      </Button>
    </div>
  );
}

function More({ list }: { list: { hasMore: boolean; isLoadingMore: boolean; more: () => void } }) {
  const { hasMore, isLoadingMore, more } = list;
  const [mark, setMark] = useState<HTMLElement | null>(null);
  useEffect(() => {
    if (!mark) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { rootMargin: "600px" });
    observer.observe(mark);
    return () => observer.disconnect();
  }, [mark, more]);
  if (!hasMore) return null;
  return (
    <div ref={setMark} className={styles["more"]}>
      <Button busy={isLoadingMore} onClick={more}>
        {isLoadingMore ? "Reading older changes" : "Show older changes"}
      </Button>
    </div>
  );
}
