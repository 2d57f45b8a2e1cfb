import { useId, useMemo, useState } from "react";
import type { OperatorsQuery } from "~/__generated__/graphql";
import { usePages } from "~/api/pages";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { OperatorsOnly } from "~/frame/Operators";
import { Page } from "~/frame/Page";
import { useViewer, whyNotPlatform } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { ChoiceField } from "~/ui/Choices";
import { Confirm } from "~/ui/Confirm";
import { Dialog } from "~/ui/Dialog";
import { Form, TextField } from "~/ui/Form";
import { Badge, ShortId } from "~/ui/marks";
import { Outcome } from "~/ui/Outcome";
import { Fault, Skeleton } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { AddOperatorDocument, FindUsersDocument, OperatorsDocument, RemoveOperatorDocument } from "./documents";
import styles from "./OperatorsPage.module.css";

type Operator = OperatorsQuery["users"]["nodes"][number];

interface Nameable {
  id: string;
  name?: string | null;
  email?: string | null;
  identities?: readonly { subject: string }[] | null;
}

function nameOf({ id, name, email, identities }: Nameable): string {
  return name ?? email ?? identities?.[0]?.subject ?? `Person …${id.slice(-6)}`;
}

export default function OperatorsPage() {
  return (
    <OperatorsOnly>
      <Operators />
    </OperatorsOnly>
  );
}

function Operators() {
  const viewer = useViewer();
  const [open, setOpen] = useState<"add" | Operator | null>(null);
  const why = whyNotPlatform(viewer, "MANAGE_PLATFORM");
  const actions = useMemo(() => [{ label: "Add an operator…", icon: "add" as const, kind: "filled" as const, reason: why, shortcut: "n", onSelect: () => setOpen("add") }], [why]);
  const list = usePages(OperatorsDocument, {}, (data) => data.users, { every: 30_000 });
  const isLast = list.first?.users.totalCount === 1;
  const close = () => setOpen(null);
  const columns: Column<Operator>[] = [
    {
      key: "name",
      label: "Name",
      clip: true,
      cell: (operator) => (
        <span className={styles["name"]}>
          <b>{nameOf(operator)}</b>
          {operator.id === viewer.user?.id && <Badge tone="accent">you</Badge>}
          {operator.name && <span className="muted">{operator.email}</span>}
        </span>
      ),
    },
    { key: "identity", label: "Signs in as", cell: ({ identities }) => identities?.map(({ issuer, subject }) => <span key={`${issuer} ${subject}`} className={styles["identity"]}><code>{subject}</code> <span className="muted">at {issuer}</span></span>) },
    { key: "id", label: "Id", cell: (operator) => <ShortId id={operator.id} name={nameOf(operator)} /> },
    { key: "since", label: "Known since", cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      key: "remove",
      label: <span className="unseen">Actions</span>,
      always: true,
      right: true,
      cell: (operator) => (
        <Button small kind="quiet" icon="close" reason={isLast ? "The last operator. Add another one first" : why} onClick={() => setOpen(operator)}>
          Remove…
        </Button>
      ),
    },
  ];
  return (
    <Page title="Operators" actions={actions}>
      <p className={styles["lead"]}>
        An operator runs the platform: all rights at all customers, each use of which is in the audit.
        {isLast && " There is one, who can’t be removed: without an operator nobody could make customers or operators, but by the command line on the server."}
      </p>
      {list.error ? (
        <Fault error={list.error} retry={list.refetch} what="operators" />
      ) : !list.first ? (
        <Skeleton rows={4} height={28} />
      ) : (
        <Table label="Operators" columns={columns} rows={list.rows} keyOf={({ id }) => id} onEnd={list.more} second={({ email, name, identities }) => (name ? email : identities?.[0]?.subject)} />
      )}
      {open === "add" && <AddDialog refetch={list.refetch} onClose={close} />}
      {open !== null && open !== "add" && <RemoveDialog operator={open} isSelf={open.id === viewer.user?.id} refetch={list.refetch} onClose={close} />}
    </Page>
  );
}

function AddDialog({ refetch, onClose }: { refetch: () => void; onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [userId, setUserId] = useState<string | null>(null);
  const [isBySubject, setBySubject] = useState(false);
  const [issuer, setIssuer] = useState("");
  const [subject, setSubject] = useState("");
  const write = useSubmit(AddOperatorDocument, (data) => data.addOperator);
  const found = useData(FindUsersDocument, { email: email.trim() }, { enabled: !isBySubject && email.trim().length > 1, keep: true });
  const users = email.trim().length > 1 ? (found.data?.users.nodes ?? []) : [];
  const chosen = users.find(({ id }) => id === userId);
  const id = useId();
  const add = async () => {
    const input = isBySubject ? { subject: subject.trim(), ...(issuer.trim() ? { issuer: issuer.trim() } : {}) } : { userId: chosen?.id };
    const payload = await write.submit(input);
    if (!payload?.user) return;
    toast(`${nameOf(payload.user)} is an operator.`);
    refetch();
    onClose();
  };
  const who = isBySubject ? subject.trim() : chosen ? nameOf(chosen) : "";
  return (
    <Dialog
      narrow
      title="Add an operator"
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={who === "" && (isBySubject ? "Give a subject first" : "Choose a person first")}>
            {who ? `Make ${who} an operator` : "Add the operator"}
          </Button>
        </>
      }
    >
      <Form formId={id} label="New operator" errors={write.errors} onSubmit={() => void add()}>
        {isBySubject ? (
          <>
            <TextField name="subject" label="Subject" hint="The person’s name at the issuer: the sub claim of its tokens." value={subject} onChange={({ target }) => setSubject(target.value)} className="mono" />
            <TextField name="issuer" label="Issuer" hint="The iss claim of its tokens. Leave it empty if the registry has a single issuer." placeholder="https://sso.example.org" value={issuer} onChange={({ target }) => setIssuer(target.value)} className="mono" />
          </>
        ) : (
          <>
            <TextField name="email" label="E-mail address" hint="Somebody who has signed in before: a part of the address finds them." type="search" value={email} onChange={({ target }) => setEmail(target.value)} />
            {users.length > 0 && (
              <ChoiceField name="userId" label="Person" value={chosen?.id ?? ""} onChange={setUserId} choices={users.map((user) => ({ value: user.id, label: nameOf(user), hint: user.name ? user.email : undefined }))} />
            )}
            {email.trim().length > 1 && found.data && users.length === 0 && <p className="muted">Nobody with such an address has signed in yet.</p>}
          </>
        )}
        <div>
          <Button kind="link" onClick={() => setBySubject(!isBySubject)}>
            {isBySubject ? "Find somebody by address" : "Add somebody by issuer and subject"}
          </Button>
        </div>
      </Form>
      <p className={styles["note"]}>An operator may do everything here, at every customer, from the next request on.</p>
      <Outcome state={write} what="the operator was added" inForm />
    </Dialog>
  );
}

function RemoveDialog({ operator, isSelf, refetch, onClose }: { operator: Operator; isSelf: boolean; refetch: () => void; onClose: () => void }) {
  const write = useSubmit(RemoveOperatorDocument, (data) => data.removeOperator, isSelf ? ["viewer"] : []);
  const name = nameOf(operator);
  const remove = async () => {
    if (!(await write.submit({ userId: operator.id }))) return;
    toast(`${name} is no longer an operator.`);
    refetch();
    onClose();
  };
  return (
    <Confirm title={isSelf ? "Stop being an operator?" : `Remove the operator ${name}?`} action={isSelf ? "Stop being an operator" : `Remove ${name}`} kind="danger" state={write} what={`${name} was removed`} onConfirm={() => void remove()} onClose={onClose}>
      <p>
        {isSelf ? "You lose" : `${name} loses`} the platform’s rights within a second, in every open tab. Memberships of customers stay. {isSelf && "Another operator has to give the rights back."}
      </p>
    </Confirm>
  );
}
