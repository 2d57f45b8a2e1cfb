// The dialogs that create, change, archive and restore an agent: the list and the agent's own page open them.
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { useCustomer, useViewer } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { Dialog } from "~/ui/Dialog";
import { Form, SelectField, TextArea, TextField } from "~/ui/Form";
import { Outcome } from "~/ui/Outcome";
import { toast } from "~/ui/toasts";
import { ArchiveAgentDocument, CreateAgentDocument, OwnersDocument, RestoreAgentDocument, UpdateAgentDocument } from "./documents";

/** What the dialogs need to know of an agent. */
export interface AgentSubject {
  id: string;
  name: string;
  description?: string | null;
  owner?: { id: string; name?: string | null; email?: string | null } | null;
}

/** Asks for a name and a purpose, and leads to the new agent. */
export function CreateAgent({ onClose }: { onClose: () => void }) {
  const customer = useCustomer();
  const navigate = useNavigate();
  const form = useId();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const write = useSubmit(CreateAgentDocument, (data) => data.createAgent, [topic.agents(customer.id), topic.customer(customer.id)]);
  const submit = async () => {
    const done = await write.submit({ customerId: customer.id, name: name.trim(), description: description.trim() || null });
    if (!done?.agent) return;
    onClose();
    toast(`Created ${done.agent.name}.`);
    void navigate({ to: "/c/$customer/agents/$agent", params: { customer: customer.id, agent: done.agent.id } });
  };
  return (
    <Dialog
      narrow
      title="Create an agent"
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={form} busy={write.isBusy} reason={name.trim() === "" && "It needs a name"}>
            Create agent
          </Button>
        </>
      }
    >
      <Form label="New agent" formId={form} errors={write.errors} onSubmit={() => void submit()}>
        <TextField name="name" label="Name" hint="Unique within the customer. It can be changed later." value={name} maxLength={200} autoFocus onChange={({ target }) => setName(target.value)} />
        <TextArea name="description" label="Purpose" hint="For people. Optional." rows={3} value={description} onChange={({ target }) => setDescription(target.value)} />
        <Outcome state={write} what="the agent was created" inForm />
      </Form>
    </Dialog>
  );
}

/** Changes name, purpose and owner. Versions stay as they are. */
export function ChangeAgent({ agent, onClose }: { agent: AgentSubject; onClose: () => void }) {
  const customer = useCustomer();
  const form = useId();
  const [name, setName] = useState(agent.name);
  const [description, setDescription] = useState(agent.description ?? "");
  const [owner, setOwner] = useState(agent.owner?.id ?? "");
  const write = useSubmit(UpdateAgentDocument, (data) => data.updateAgent, [topic.agent(agent.id), topic.agents(customer.id)]);
  const submit = async () => {
    const done = await write.submit({
      agentId: agent.id,
      ...(name.trim() !== agent.name ? { name: name.trim() } : {}),
      ...(description.trim() !== (agent.description ?? "") ? { description: description.trim() || null } : {}),
      ...(owner !== (agent.owner?.id ?? "") ? { ownerId: owner || null } : {}),
    });
    if (!done) return;
    onClose();
    toast(`Changed ${name.trim()}.`);
  };
  return (
    <Dialog
      narrow
      title={`Change ${agent.name}`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={form} busy={write.isBusy}>
            Change agent
          </Button>
        </>
      }
    >
      <Form label={`Change ${agent.name}`} formId={form} errors={write.errors} onSubmit={() => void submit()}>
        <TextField name="name" label="Name" hint="A new name changes the served configuration: gateways get it at once." value={name} maxLength={200} onChange={({ target }) => setName(target.value)} />
        <TextArea name="description" label="Purpose" rows={3} value={description} onChange={({ target }) => setDescription(target.value)} />
        <Owner value={owner} onChange={setOwner} owner={agent.owner ?? null} />
        <Outcome state={write} what="the agent was changed" inForm />
      </Form>
    </Dialog>
  );
}

function nameOf({ name, email }: { name?: string | null; email?: string | null }): string {
  return name ?? email ?? "A member without a name";
}

/** Members to choose from for those who may see them; the others choose between themselves, the present owner and nobody. */
function Owner({ value, onChange, owner }: { value: string; onChange: (id: string) => void; owner: AgentSubject["owner"] | null }) {
  const customer = useCustomer();
  const { user } = useViewer();
  const members = useData(OwnersDocument, { customer: customer.id }, { topics: [topic.people(customer.id)], enabled: customer.may("READ_MEMBERS") });
  const people = new Map<string, string>();
  for (const { user: member } of members.data?.customer?.members?.nodes ?? []) people.set(member.id, nameOf(member));
  if (user && !customer.may("READ_MEMBERS")) people.set(user.id, nameOf(user));
  if (owner && !people.has(owner.id)) people.set(owner.id, nameOf(owner));
  return (
    <SelectField name="ownerId" label="Owner" hint="The member who is responsible for it." value={value} onChange={({ target }) => onChange(target.value)}>
      <option value="">Nobody</option>
      {[...people].map(([id, name]) => (
        <option key={id} value={id}>
          {name}
          {id === user?.id ? " (you)" : ""}
        </option>
      ))}
    </SelectField>
  );
}

/** Archiving ends serving in every environment, so it says so first. */
export function ArchiveAgent({ agent, serving, onClose }: { agent: AgentSubject; serving: readonly string[]; onClose: () => void }) {
  const customer = useCustomer();
  const write = useSubmit(ArchiveAgentDocument, (data) => data.archiveAgent, [topic.agent(agent.id), topic.agents(customer.id), topic.activations(customer.id)]);
  const confirm = async () => {
    if (!(await write.submit({ agentId: agent.id }))) return;
    onClose();
    toast(`Archived ${agent.name}.`);
  };
  return (
    <Confirm
      title={`Archive ${agent.name}?`}
      action={serving.length > 0 ? "Stop serving and archive" : "Archive agent"}
      kind={serving.length > 0 ? "danger" : "filled"}
      keep="Keep it"
      state={write}
      what="the agent was archived"
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      <p>
        {serving.length > 0
          ? `It serves in ${serving.join(" and ")} now. Archiving ends that at once: gateways remove it.`
          : "It serves nothing now."}{" "}
        Its name, versions and history stay, and it still counts against the plan. It can be restored, and serves nothing then until a version is activated.
      </p>
    </Confirm>
  );
}

export function RestoreAgent({ agent, onClose }: { agent: AgentSubject; onClose: () => void }) {
  const customer = useCustomer();
  const write = useSubmit(RestoreAgentDocument, (data) => data.restoreAgent, [topic.agent(agent.id), topic.agents(customer.id)]);
  const confirm = async () => {
    if (!(await write.submit({ agentId: agent.id }))) return;
    onClose();
    toast(`Restored ${agent.name}.`);
  };
  return (
    <Confirm title={`Restore ${agent.name}?`} action="Restore agent" keep="Leave it archived" state={write} what="the agent was restored" onConfirm={() => void confirm()} onClose={onClose}>
      <p>It can take new versions and activations again. It serves nothing until you activate a version.</p>
    </Confirm>
  );
}
