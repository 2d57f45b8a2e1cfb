import { useMemo, useState } from "react";
import type { ServiceTokensQuery } from "~/__generated__/graphql";
import { usePages } from "~/api/pages";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { OperatorsOnly } from "~/frame/Operators";
import { Page } from "~/frame/Page";
import { useViewer, whyNotPlatform } from "~/frame/scope";
import { absolute } from "~/time";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { CredentialEnd, CredentialName, LastUsed, Reach, RotateDialog } from "~/ui/CredentialMarks";
import { isAccepted } from "~/ui/credentials";
import { Menu, MenuItem } from "~/ui/Menu";
import { SecretDialog } from "~/ui/Secret";
import { Empty, Fault, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time, useNow } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { count, scopeWord } from "~/words";
import { CreateTokenDialog } from "./CreateTokenDialog";
import { RevokeServiceTokenDocument, RotateServiceTokenDocument, ServiceTokensDocument, TokenCustomersDocument } from "./documents";
import styles from "./ServiceTokensPage.module.css";

type Token = ServiceTokensQuery["serviceTokens"]["nodes"][number];
type Open = { kind: "create" } | { kind: "rotate" | "revoke"; token: Token } | { kind: "secret"; title: string; secret: string | null; previousEnds?: string | null };

export default function ServiceTokensPage() {
  return (
    <OperatorsOnly>
      <ServiceTokens />
    </OperatorsOnly>
  );
}

function ServiceTokens() {
  const viewer = useViewer();
  const [open, setOpen] = useState<Open | null>(null);
  const [hasEnded, setEnded] = useState(false);
  const why = whyNotPlatform(viewer, "MANAGE_PLATFORM");
  const now = useNow();
  const actions = useMemo(() => [{ label: "Create a service token…", icon: "add" as const, kind: "filled" as const, reason: why, shortcut: "n", onSelect: () => setOpen({ kind: "create" }) }], [why]);
  const list = usePages(ServiceTokensDocument, {}, (data) => data.serviceTokens, { every: 30_000 });
  const accepted = list.rows.filter((token) => isAccepted(token, now));
  const ended = list.rows.length - accepted.length;
  const close = () => setOpen(null);
  return (
    <Page title="Service tokens" actions={actions}>
      <div className={styles["above"]}>
        <p className="muted">A service token is for the platform’s own services, such as gateways. It reads what is served, at every customer or at some.</p>
        {ended > 0 && (
          <label className={styles["toggle"]}>
            <input type="checkbox" checked={hasEnded} onChange={({ target }) => setEnded(target.checked)} /> Show {count(ended, "ended token")}
          </label>
        )}
      </div>
      {list.error ? (
        <Fault error={list.error} retry={list.refetch} what="service tokens" />
      ) : !list.first ? (
        <Skeleton rows={6} height={28} />
      ) : list.rows.length === 0 ? (
        <Empty
          title="There is no service token yet"
          command="agent-registry token service --help"
          action={
            <Button icon="add" reason={why} onClick={() => setOpen({ kind: "create" })}>
              Create a service token…
            </Button>
          }
        >
          A gateway needs one to be told of activations.
        </Empty>
      ) : (
        <List rows={hasEnded ? list.rows : accepted} more={list.more} why={why} setOpen={setOpen} />
      )}
      {open?.kind === "create" && <CreateTokenDialog refetch={list.refetch} onClose={close} onCreated={({ name, secret }) => setOpen({ kind: "secret", title: `The secret of ${name}`, secret })} />}
      {open?.kind === "rotate" && <Rotate token={open.token} refetch={list.refetch} setOpen={setOpen} />}
      {open?.kind === "revoke" && <Revoke token={open.token} refetch={list.refetch} onClose={close} />}
      {open?.kind === "secret" && (
        <SecretDialog title={open.title} secret={open.secret} onClose={close}>
          {open.previousEnds && <p>The old secret is accepted until {absolute(open.previousEnds)}.</p>}
          <p className={styles["use"]}>
            Send it with each request: <code>Authorization: Bearer …</code>
          </p>
        </SecretDialog>
      )}
    </Page>
  );
}

function List({ rows, more, why, setOpen }: { rows: readonly Token[]; more: () => void; why: string | null; setOpen: (open: Open) => void }) {
  const now = useNow();
  const ids = useMemo(() => [...new Set(rows.flatMap(({ customerIds }) => customerIds ?? []))].sort().slice(0, 100), [rows]);
  const { data } = useData(TokenCustomersDocument, { ids }, { enabled: ids.length > 0, keep: true });
  const names = useMemo(() => new Map((data?.nodes ?? []).flatMap((node) => (node && "name" in node ? [[node.id, node.name] as const] : []))), [data]);
  const columns: Column<Token>[] = [
    { key: "name", label: "Name", cell: (token) => <CredentialName credential={token} /> },
    { key: "scopes", label: "May", cell: ({ grantedScopes }) => grantedScopes.map((one, index) => (index === 0 ? scopeWord(one) : scopeWord(one).toLowerCase())).join(", ") },
    { key: "customers", label: "Customers", clip: true, cell: ({ customerIds }) => customersText(customerIds, names) },
    { key: "where", label: "Where", cell: ({ environments }) => <Reach environments={environments} /> },
    { key: "used", label: "Last used", cell: ({ lastUsedAt }) => <LastUsed at={lastUsedAt} /> },
    { key: "ends", label: "Ends", cell: (token) => <CredentialEnd credential={token} /> },
    {
      key: "made",
      label: "Created",
      cell: ({ createdAt, createdBy }) => (
        <>
          <Time at={createdAt} /> by {createdBy.displayName}
        </>
      ),
    },
    {
      key: "menu",
      label: <span className="unseen">Actions</span>,
      always: true,
      right: true,
      cell: (token) => (
        <Menu
          trigger={
            <Button kind="quiet" small icon="more" iconOnly>
              Actions for {token.name}
            </Button>
          }
        >
          <MenuItem icon="token" reason={isAccepted(token, now) ? why : "It isn’t accepted any more"} onSelect={() => setOpen({ kind: "rotate", token })}>
            Rotate…
          </MenuItem>
          <MenuItem icon="bad" danger reason={token.revokedAt ? "It is revoked already" : why} onSelect={() => setOpen({ kind: "revoke", token })}>
            Revoke token…
          </MenuItem>
        </Menu>
      ),
    },
  ];
  return (
    <Table
      label="Service tokens"
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      onEnd={more}
      second={({ customerIds, lastUsedAt }) => (
        <>
          {customersText(customerIds, names)} · used <LastUsed at={lastUsedAt} />
        </>
      )}
    />
  );
}

/** "every customer", a name or two, or how many. */
function customersText(ids: readonly string[] | null | undefined, names: ReadonlyMap<string, string>): string {
  if (!ids) return "every customer";
  const known = ids.flatMap((id) => names.get(id) ?? []);
  return known.length === ids.length && ids.length <= 3 ? known.join(", ") : count(ids.length, "customer");
}

function Rotate({ token, refetch, setOpen }: { token: Token; refetch: () => void; setOpen: (open: Open | null) => void }) {
  const write = useSubmit(RotateServiceTokenDocument, (data) => data.rotateServiceToken);
  const rotate = async (overlapSeconds: number) => {
    const payload = await write.submit({ serviceTokenId: token.id, overlapSeconds });
    if (!payload) return;
    refetch();
    setOpen({ kind: "secret", title: `The new secret of ${token.name}`, secret: payload.secret ?? null, previousEnds: overlapSeconds > 0 ? payload.previous?.expiresAt : null });
  };
  return <RotateDialog credential={token} kind="token" state={write} onRotate={(seconds) => void rotate(seconds)} onClose={() => setOpen(null)} />;
}

function Revoke({ token, refetch, onClose }: { token: Token; refetch: () => void; onClose: () => void }) {
  const write = useSubmit(RevokeServiceTokenDocument, (data) => data.revokeServiceToken);
  const revoke = async () => {
    if (!(await write.submit({ serviceTokenId: token.id }))) return;
    toast(`${token.name} is revoked.`);
    refetch();
    onClose();
  };
  return (
    <Confirm title={`Revoke ${token.name}?`} action={`Revoke ${token.name}`} kind="danger" keep="Keep it" state={write} what="the token was revoked" onConfirm={() => void revoke()} onClose={onClose}>
      <p>
        What uses it is refused within a second, and its sockets close. A gateway goes on serving what it has, and hears of nothing new. It can’t be undone.{" "}
        {token.lastUsedAt ? (
          <>
            It was last used <Time at={token.lastUsedAt} />.
          </>
        ) : (
          "It was never used."
        )}
      </p>
    </Confirm>
  );
}
