import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { KeysQuery } from "~/__generated__/graphql";
import { usePages } from "~/api/pages";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer, type CustomerScope } from "~/frame/scope";
import { absolute } from "~/time";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { CredentialEnd, CredentialName, LastUsed, Reach, RotateDialog } from "~/ui/CredentialMarks";
import { isAccepted } from "~/ui/credentials";
import { Menu, MenuItem } from "~/ui/Menu";
import { SecretDialog } from "~/ui/Secret";
import { Empty, Fault, Refused, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time, useNow } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { count, scopeWord } from "~/words";
import { CreateKeyDialog } from "./CreateKeyDialog";
import { KeysDocument, RevokeApiKeyDocument, RotateApiKeyDocument } from "./documents";
import styles from "./KeysPage.module.css";

type Key = NonNullable<NonNullable<KeysQuery["customer"]>["apiKeys"]>["nodes"][number];
type Open = { kind: "create" } | { kind: "rotate" | "revoke"; key: Key } | { kind: "secret"; title: string; secret: string | null; previousEnds?: string | null };

export default function KeysPage() {
  const customer = useCustomer();
  const [open, setOpen] = useState<Open | null>(null);
  const why = customer.why("MANAGE_KEYS");
  const actions = useMemo(() => [{ label: "Create a key…", icon: "add" as const, kind: "filled" as const, reason: why, shortcut: "n", onSelect: () => setOpen({ kind: "create" }) }], [why]);
  return (
    <Page title="Keys" actions={actions}>
      {customer.may("READ_KEYS") ? <Keys customer={customer} open={open} setOpen={setOpen} /> : <Refused what="keys" />}
    </Page>
  );
}

function Keys({ customer, open, setOpen }: { customer: CustomerScope; open: Open | null; setOpen: (open: Open | null) => void }) {
  const { customer: id } = useParams({ from: "/frame/c/$customer/keys" });
  const [hasEnded, setEnded] = useState(false);
  const now = useNow();
  // Events don't name keys, so other tabs' writes and the last use are asked for.
  const list = usePages(KeysDocument, { customer: id }, (data) => data.customer?.apiKeys, { topics: [topic.keys(id)], every: 30_000 });
  const first = list.first?.customer;
  if (list.error) return <Fault error={list.error} retry={list.refetch} what="keys" />;
  if (!first) return <Skeleton rows={8} height={28} />;
  if (!first.apiKeys) return <Refused what="keys" />;
  const accepted = list.rows.filter((key) => isAccepted(key, now));
  const rows = hasEnded ? list.rows : accepted;
  const quota = first.usage?.apiKeys;
  const ended = list.rows.length - accepted.length;
  const close = () => setOpen(null);
  return (
    <>
      <div className={styles["above"]}>
        {quota && (
          <p className="muted">
            {quota.used} of {quota.limit} keys of the plan. A key is a program’s: it acts here alone, by its scopes.
          </p>
        )}
        {ended > 0 && (
          <label className={styles["toggle"]}>
            <input type="checkbox" checked={hasEnded} onChange={({ target }) => setEnded(target.checked)} /> Show {count(ended, "ended key")}
          </label>
        )}
      </div>
      {list.rows.length === 0 ? (
        <Empty
          title="There is no key yet"
          action={
            <Button icon="add" reason={customer.why("MANAGE_KEYS")} onClick={() => setOpen({ kind: "create" })}>
              Create a key…
            </Button>
          }
        >
          A pipeline publishes and activates with a key, a gateway reads with one. Each has its own name in the audit.
        </Empty>
      ) : (
        <KeyTable customer={customer} rows={rows} more={list.more} setOpen={setOpen} />
      )}
      {open?.kind === "create" && <CreateKeyDialog customer={customer} onClose={close} onCreated={({ name, secret }) => setOpen({ kind: "secret", title: `The secret of ${name}`, secret })} />}
      {open?.kind === "rotate" && <Rotate customerId={id} apiKey={open.key} setOpen={setOpen} />}
      {open?.kind === "revoke" && <Revoke customerId={id} apiKey={open.key} onClose={close} />}
      {open?.kind === "secret" && (
        <SecretDialog title={open.title} secret={open.secret} onClose={close}>
          {open.previousEnds && <p>The old secret is accepted until {absolute(open.previousEnds)}.</p>}
          <p className={styles["use"]}>
            Send it with each request: <code>Authorization: Bearer ark_…</code>
          </p>
        </SecretDialog>
      )}
    </>
  );
}

function KeyTable({ customer, rows, more, setOpen }: { customer: CustomerScope; rows: readonly Key[]; more: () => void; setOpen: (open: Open) => void }) {
  const now = useNow();
  const columns: Column<Key>[] = [
    { key: "name", label: "Name", cell: (key) => <CredentialName credential={key} /> },
    { key: "scopes", label: "May", clip: true, cell: (key) => <Scopes apiKey={key} /> },
    { key: "where", label: "Where", cell: ({ environments }) => <Reach environments={environments} /> },
    { key: "used", label: "Last used", cell: ({ lastUsedAt }) => <LastUsed at={lastUsedAt} /> },
    { key: "ends", label: "Ends", cell: (key) => <CredentialEnd credential={key} /> },
    { key: "made", label: "Created", cell: ({ createdAt, createdBy }) => <span className={styles["made"]}><Time at={createdAt} /> by {createdBy.displayName}</span> },
    {
      key: "menu",
      label: <span className="unseen">Actions</span>,
      always: true,
      right: true,
      cell: (key) => {
        const isOver = !isAccepted(key, now);
        return (
          <Menu
            trigger={
              <Button kind="quiet" small icon="more" iconOnly>
                Actions for {key.name}
              </Button>
            }
          >
            <MenuItem icon="key" reason={isOver ? "It isn’t accepted any more" : customer.why("MANAGE_KEYS")} onSelect={() => setOpen({ kind: "rotate", key })}>
              Rotate…
            </MenuItem>
            <MenuItem icon="bad" danger reason={key.revokedAt ? "It is revoked already" : customer.why("REVOKE_KEYS")} onSelect={() => setOpen({ kind: "revoke", key })}>
              Revoke key…
            </MenuItem>
          </Menu>
        );
      },
    },
  ];
  return (
    <Table
      label="Keys"
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      onEnd={more}
      second={(key) => (
        <>
          {key.grantedScopes.map(scopeWord).join(", ")} · used <LastUsed at={key.lastUsedAt} />
        </>
      )}
    />
  );
}

function Scopes({ apiKey }: { apiKey: Key }) {
  const text = apiKey.grantedScopes.map((one, index) => (index === 0 ? scopeWord(one) : scopeWord(one).toLowerCase())).join(", ");
  return <span title={text}>{text}</span>;
}

function Rotate({ customerId, apiKey, setOpen }: { customerId: string; apiKey: Key; setOpen: (open: Open | null) => void }) {
  const write = useSubmit(RotateApiKeyDocument, (data) => data.rotateApiKey, [topic.keys(customerId)]);
  const rotate = async (overlapSeconds: number) => {
    const payload = await write.submit({ apiKeyId: apiKey.id, overlapSeconds });
    if (payload) setOpen({ kind: "secret", title: `The new secret of ${apiKey.name}`, secret: payload.secret ?? null, previousEnds: overlapSeconds > 0 ? payload.previous?.expiresAt : null });
  };
  return <RotateDialog credential={apiKey} kind="key" state={write} onRotate={(seconds) => void rotate(seconds)} onClose={() => setOpen(null)} />;
}

function Revoke({ customerId, apiKey, onClose }: { customerId: string; apiKey: Key; onClose: () => void }) {
  const write = useSubmit(RevokeApiKeyDocument, (data) => data.revokeApiKey, [topic.keys(customerId)]);
  const revoke = async () => {
    if (!(await write.submit({ apiKeyId: apiKey.id }))) return;
    toast(`${apiKey.name} is revoked.`);
    onClose();
  };
  return (
    <Confirm title={`Revoke ${apiKey.name}?`} action={`Revoke ${apiKey.name}`} kind="danger" keep="Keep it" state={write} what="the key was revoked" onConfirm={() => void revoke()} onClose={onClose}>
      <p>
        What uses it is refused within a second, and its sockets close. It can’t be undone. {apiKey.lastUsedAt ? <>It was last used <Time at={apiKey.lastUsedAt} />.</> : "It was never used."}
      </p>
      {!apiKey.replacedById && <p className={styles["hint"]}>To go on without a gap, rotate it instead.</p>}
    </Confirm>
  );
}
