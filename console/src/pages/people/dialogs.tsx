import { useId, useState } from "react";
import type { Role } from "~/__generated__/graphql";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { day } from "~/time";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { CopyButton } from "~/ui/CopyButton";
import { Dialog } from "~/ui/Dialog";
import { Form, TextField } from "~/ui/Form";
import { Outcome } from "~/ui/Outcome";
import { Command } from "~/ui/states";
import { toast } from "~/ui/toasts";
import { roleWord } from "~/words";
import { AddMemberDocument, ChangeMemberRoleDocument, InviteMemberDocument, RemoveMemberDocument, RevokeInvitationDocument } from "./documents";
import { memberName, type Invitation, type Member } from "./members";
import styles from "./PeoplePage.module.css";
import { RoleField } from "./RoleField";

/** Invites by an address. Afterwards the same dialog has the link: the registry sends no mail. */
export function InviteDialog({ customerId, customerName, onClose }: { customerId: string; customerName: string; onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("VIEWER");
  const write = useSubmit(InviteMemberDocument, (data) => data.inviteMember, [topic.people(customerId)]);
  const [made, setMade] = useState<{ email: string; role: Role; expiresAt: string; acceptUrl?: string | null } | null>(null);
  const id = useId();
  const invite = async () => {
    const payload = await write.submit({ customerId, email: email.trim(), role });
    if (payload?.invitation) setMade(payload.invitation);
  };
  if (made) {
    return (
      <Dialog narrow title={`${made.email} is invited`} onClose={onClose} foot={<Button kind="filled" onClick={onClose}>Close</Button>}>
        {made.acceptUrl ? (
          <>
            <p>
              No e-mail is sent: pass this link on yourself. It signs in and accepts, for {made.email} alone, until {day(made.expiresAt)}.
            </p>
            <div className={styles["link"]}>
              <Command text={made.acceptUrl} />
            </div>
          </>
        ) : (
          <p className={styles["note"]}>
            No e-mail is sent, and there is no link to pass on, because this registry doesn’t know its public address (PUBLIC_URL). Tell {made.email} to sign in until {day(made.expiresAt)}, with that address verified by the issuer: the invitation can be accepted then.
          </p>
        )}
      </Dialog>
    );
  }
  return (
    <Dialog
      narrow
      title={`Invite to ${customerName}`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={email.trim() === "" && "Give an address first"}>
            Invite as {roleWord(role)}
          </Button>
        </>
      }
    >
      <Form formId={id} label="Invitation" errors={write.errors} onSubmit={() => void invite()}>
        <TextField name="email" label="E-mail address" type="email" inputMode="email" placeholder="ada@example.org" hint="The address that the person’s identity provider has verified." value={email} onChange={({ target }) => setEmail(target.value)} />
        <RoleField value={role} onChange={setRole} />
      </Form>
      <Outcome state={write} what="the invitation was made" inForm />
    </Dialog>
  );
}

/** Adds by issuer and subject, where tokens hold no address. */
export function AddMemberDialog({ customerId, customerName, onClose }: { customerId: string; customerName: string; onClose: () => void }) {
  const [subject, setSubject] = useState("");
  const [issuer, setIssuer] = useState("");
  const [role, setRole] = useState<Role>("VIEWER");
  const write = useSubmit(AddMemberDocument, (data) => data.addMember, [topic.people(customerId)]);
  const id = useId();
  const add = async () => {
    const payload = await write.submit({ customerId, subject: subject.trim(), role, ...(issuer.trim() ? { issuer: issuer.trim() } : {}) });
    if (!payload) return;
    toast(`${subject.trim()} is a member with the role ${roleWord(role)}.`);
    onClose();
  };
  return (
    <Dialog
      narrow
      title={`Add a member of ${customerName} by subject`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={subject.trim() === "" && "Give a subject first"}>
            Add as {roleWord(role)}
          </Button>
        </>
      }
    >
      <Form formId={id} label="New member" errors={write.errors} onSubmit={() => void add()}>
        <TextField name="subject" label="Subject" hint="The person’s name at the issuer: the sub claim of its tokens." value={subject} onChange={({ target }) => setSubject(target.value)} className="mono" />
        <TextField name="issuer" label="Issuer" hint="The iss claim of its tokens. Leave it empty if the registry has a single issuer." placeholder="https://sso.example.org" value={issuer} onChange={({ target }) => setIssuer(target.value)} className="mono" />
        <RoleField value={role} onChange={setRole} />
      </Form>
      <Outcome state={write} what="the member was added" inForm />
    </Dialog>
  );
}

export function RoleDialog({ customerId, member, isSelf, why, onClose }: { customerId: string; member: Member; isSelf: boolean; why: string | null; onClose: () => void }) {
  const [role, setRole] = useState<Role>(member.role);
  const write = useSubmit(ChangeMemberRoleDocument, (data) => data.changeMemberRole, [topic.people(customerId), topic.customer(customerId)]);
  const id = useId();
  const name = memberName(member);
  const change = async () => {
    const payload = await write.submit({ customerId, userId: member.user.id, role });
    if (!payload) return;
    toast(`${name} is ${roleWord(role)} now.`);
    onClose();
  };
  const reason = role === member.role ? `${name} is ${roleWord(role)} already` : why;
  return (
    <Dialog
      narrow
      title={`Change the role of ${name}`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Keep {roleWord(member.role)}</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={reason}>
            Make {name} {roleWord(role)}
          </Button>
        </>
      }
    >
      <Form formId={id} label="Role" errors={write.errors} onSubmit={() => void change()}>
        <RoleField value={role} onChange={setRole} />
      </Form>
      {why && <p className={styles["note"]}>{why}: without an admin nobody here could invite people or make keys.</p>}
      {isSelf && member.role === "ADMIN" && role !== "ADMIN" && <p className={styles["note"]}>This is you. Afterwards another admin has to give the role back.</p>}
      {member.source === "CLAIM" && <p className={styles["note"]}>The identity provider gave this role. Its roles may set it again at the next sign-in.</p>}
      <Outcome state={write} what="the role was changed" inForm />
    </Dialog>
  );
}

export function RemoveDialog({ customerId, customerName, member, isSelf, onClose }: { customerId: string; customerName: string; member: Member; isSelf: boolean; onClose: () => void }) {
  const write = useSubmit(RemoveMemberDocument, (data) => data.removeMember, [topic.people(customerId), topic.agents(customerId)]);
  const name = memberName(member);
  const remove = async () => {
    if (!(await write.submit({ customerId, userId: member.user.id }))) return;
    toast(`${name} is no longer a member.`);
    onClose();
  };
  return (
    <Confirm
      title={isSelf ? `Leave ${customerName}?` : `Remove ${name} from ${customerName}?`}
      action={isSelf ? `Leave ${customerName}` : `Remove ${name}`}
      kind="danger"
      state={write}
      what={`${name} was removed`}
      onConfirm={() => void remove()}
      onClose={onClose}
    >
      <p>
        {isSelf ? "You lose" : `${name} loses`} all rights here within a second, in every open tab. Agents that {isSelf ? "you own" : "the person owns"} here stay, without an owner. What {isSelf ? "you" : "the person"} did stays in the audit.
      </p>
    </Confirm>
  );
}

export function RevokeInvitationDialog({ customerId, invitation, onClose }: { customerId: string; invitation: Invitation; onClose: () => void }) {
  const write = useSubmit(RevokeInvitationDocument, (data) => data.revokeInvitation, [topic.people(customerId)]);
  const revoke = async () => {
    if (!(await write.submit({ invitationId: invitation.id }))) return;
    toast(`The invitation of ${invitation.email} is revoked.`);
    onClose();
  };
  return (
    <Confirm title={`Revoke the invitation of ${invitation.email}?`} action="Revoke the invitation" kind="danger" keep="Keep it" state={write} what="the invitation was revoked" onConfirm={() => void revoke()} onClose={onClose}>
      <p>Its link stops working at once. You can invite the address again.</p>
    </Confirm>
  );
}

/** The link of an invitation; why there is none otherwise. */
export function InvitationLink({ invitation }: { invitation: Invitation }) {
  if (invitation.acceptUrl) return <CopyButton text={invitation.acceptUrl} what={`link for ${invitation.email}`} label="Copy the link" />;
  return <span className="muted">No link: the registry has no PUBLIC_URL</span>;
}
