import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState, type ReactNode } from "react";
import { usePages } from "~/api/pages";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer, useViewer, type CustomerScope } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { Badge } from "~/ui/marks";
import { Menu, MenuItem } from "~/ui/Menu";
import { Empty, Fault, Refused, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Tabs } from "~/ui/Tabs";
import { Time } from "~/ui/Time";
import { roleMeaning, roleWord, sourceWord } from "~/words";
import { AddMemberDialog, InvitationLink, InviteDialog, RemoveDialog, RevokeInvitationDialog, RoleDialog } from "./dialogs";
import { PeopleDocument } from "./documents";
import { memberName, whyStaysAdmin, type Invitation, type Member } from "./members";
import styles from "./PeoplePage.module.css";

type Open = { kind: "invite" | "add" } | { kind: "role" | "remove"; member: Member } | { kind: "revoke"; invitation: Invitation };

export default function PeoplePage() {
  const customer = useCustomer();
  const [open, setOpen] = useState<Open | null>(null);
  const why = customer.why("MANAGE_MEMBERS");
  const actions = useMemo(
    () => [
      { label: "Add by subject…", reason: why, onSelect: () => setOpen({ kind: "add" }), inMenu: true },
      { label: "Invite a person…", icon: "add" as const, kind: "filled" as const, reason: why, shortcut: "n", onSelect: () => setOpen({ kind: "invite" }) },
    ],
    [why],
  );
  return (
    <Page title="People" actions={actions}>
      {customer.may("READ_MEMBERS") ? <People customer={customer} open={open} setOpen={setOpen} /> : <Refused what="people" />}
    </Page>
  );
}

function People({ customer, open, setOpen }: { customer: CustomerScope; open: Open | null; setOpen: (open: Open | null) => void }) {
  const { customer: id } = useParams({ from: "/frame/c/$customer/people" });
  const { tab = "members" } = useSearch({ from: "/frame/c/$customer/people" });
  const navigate = useNavigate({ from: "/c/$customer/people" });
  const viewer = useViewer();
  // Events don't name people, so other tabs' writes are asked for.
  const list = usePages(PeopleDocument, { customer: id }, (data) => data.customer?.members, { topics: [topic.people(id)], every: 30_000 });
  const first = list.first?.customer;
  if (list.error) return <Fault error={list.error} retry={list.refetch} what="people" />;
  if (!first) return <Skeleton rows={8} height={28} />;
  if (!first.members || !first.invitations) return <Refused what="people" />;
  const invitations = first.invitations.nodes;
  const isWhole = !list.hasMore;
  const whyStays = (member: Member) => whyStaysAdmin(member, list.rows, isWhole);
  const quota = first.usage?.members;
  const close = () => setOpen(null);
  const isSelf = (member: Member) => member.user.id === viewer.user?.id;
  return (
    <>
      {quota && (
        <p className={styles["quota"]}>
          {quota.used} of {quota.limit} members of the plan, open invitations among them.
        </p>
      )}
      <Tabs
        label="People"
        value={tab}
        onChange={(next) => void navigate({ search: next === "invitations" ? { tab: "invitations" } : {}, replace: true })}
        tabs={[
          {
            key: "members",
            label: `Members ${first.members.totalCount}`,
            content: <Members customer={customer} rows={list.rows} more={list.more} total={first.members.totalCount} isSelf={isSelf} whyStays={whyStays} setOpen={setOpen} />,
          },
          {
            key: "invitations",
            label: `Invitations ${first.invitations.totalCount}`,
            content: <Invitations customer={customer} rows={invitations} setOpen={setOpen} />,
          },
        ]}
      />
      {open?.kind === "invite" && <InviteDialog customerId={id} customerName={customer.name} onClose={close} />}
      {open?.kind === "add" && <AddMemberDialog customerId={id} customerName={customer.name} onClose={close} />}
      {open?.kind === "role" && <RoleDialog customerId={id} member={open.member} isSelf={isSelf(open.member)} why={whyStays(open.member)} onClose={close} />}
      {open?.kind === "remove" && <RemoveDialog customerId={id} customerName={customer.name} member={open.member} isSelf={isSelf(open.member)} onClose={close} />}
      {open?.kind === "revoke" && <RevokeInvitationDialog customerId={id} invitation={open.invitation} onClose={close} />}
    </>
  );
}

interface MembersProps {
  customer: CustomerScope;
  rows: readonly Member[];
  more: () => void;
  total: number;
  isSelf: (member: Member) => boolean;
  whyStays: (member: Member) => string | null;
  setOpen: (open: Open) => void;
}

function Members({ customer, rows, more, total, isSelf, whyStays, setOpen }: MembersProps) {
  const columns: Column<Member>[] = [
    {
      key: "name",
      label: "Name",
      clip: true,
      cell: (member) => (
        <span className={styles["name"]}>
          <b>{memberName(member)}</b>
          {isSelf(member) && <Badge tone="accent">you</Badge>}
          {member.user.name && <span className="muted">{member.email}</span>}
        </span>
      ),
    },
    {
      key: "role",
      label: "Role",
      always: true,
      cell: (member) => (
        <span className={styles["role"]} title={roleMeaning(member.role)}>
          {roleWord(member.role)}
          {whyStays(member) && <span className={styles["only"]}>the only admin</span>}
        </span>
      ),
    },
    { key: "source", label: "Given", cell: ({ source }) => sourceWord(source) },
    { key: "since", label: "Member since", cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      key: "menu",
      label: <span className="unseen">Actions</span>,
      always: true,
      right: true,
      cell: (member) => (
        <RowMenu name={memberName(member)}>
          <MenuItem icon="people" reason={customer.why("MANAGE_MEMBERS")} onSelect={() => setOpen({ kind: "role", member })}>
            Change role…
          </MenuItem>
          <MenuItem icon="bad" danger reason={customer.why("REMOVE_MEMBERS") ?? whyStays(member)} onSelect={() => setOpen({ kind: "remove", member })}>
            {isSelf(member) ? "Leave…" : "Remove…"}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  if (rows.length === 0) return <Empty title="Nobody is a member yet">An operator made this customer. Invite the first admin, who then invites the others.</Empty>;
  return <Table label="Members" columns={columns} rows={rows} total={total} keyOf={({ id }) => id} onEnd={more} second={({ email, user, createdAt }) => <>{user.name ? email : null} since <Time at={createdAt} /></>} />;
}

/** The "⋯" of a row. */
function RowMenu({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Menu
      trigger={
        <Button kind="quiet" small icon="more" iconOnly>
          Actions for {name}
        </Button>
      }
    >
      {children}
    </Menu>
  );
}

function Invitations({ customer, rows, setOpen }: { customer: CustomerScope; rows: readonly Invitation[]; setOpen: (open: Open) => void }) {
  const columns: Column<Invitation>[] = [
    { key: "email", label: "Address", clip: true, cell: ({ email }) => <b className={styles["address"]}>{email}</b> },
    { key: "role", label: "Role", cell: ({ role }) => roleWord(role) },
    { key: "by", label: "Invited by", cell: ({ invitedBy }) => invitedBy.displayName },
    { key: "made", label: "Invited", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { key: "end", label: "Ends", cell: ({ expiresAt }) => <Time at={expiresAt} /> },
    { key: "link", label: "Link", always: true, cell: (invitation) => <InvitationLink invitation={invitation} /> },
    {
      key: "menu",
      label: <span className="unseen">Actions</span>,
      always: true,
      right: true,
      cell: (invitation) => (
        <Button kind="quiet" small icon="close" iconOnly reason={customer.why("REMOVE_MEMBERS")} onClick={() => setOpen({ kind: "revoke", invitation })}>
          Revoke the invitation of {invitation.email}…
        </Button>
      ),
    },
  ];
  if (rows.length === 0) {
    return (
      <Empty
        title="Nobody is invited"
        action={
          <Button icon="add" reason={customer.why("MANAGE_MEMBERS")} onClick={() => setOpen({ kind: "invite" })}>
            Invite a person…
          </Button>
        }
      >
        An invitation is for one address and ends after 14 days. The person who signs in with that address, verified by the issuer, becomes a member.
      </Empty>
    );
  }
  return (
    <Table
      label="Invitations"
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      second={({ role, expiresAt }) => (
        <>
          {roleWord(role)}, ends <Time at={expiresAt} />
        </>
      )}
    />
  );
}
