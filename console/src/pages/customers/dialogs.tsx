import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import type { BillingStatus, CustomerRowFragment, Plan, PlansQuery } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { Button } from "~/ui/Button";
import { ChoiceField } from "~/ui/Choices";
import { Confirm } from "~/ui/Confirm";
import { Dialog } from "~/ui/Dialog";
import { Form, TextField } from "~/ui/Form";
import { Outcome } from "~/ui/Outcome";
import { toast } from "~/ui/toasts";
import { billingWord, planWord } from "~/words";
import { isName } from "./billing";
import styles from "./CustomersPage.module.css";
import { CreateCustomerDocument, EraseCustomerDocument, PlansDocument, SetBillingStatusDocument, SetPlanDocument, UpdateCustomerDocument } from "./documents";

type Customer = CustomerRowFragment;

export function CreateDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [externalId, setExternalId] = useState("");
  const write = useSubmit(CreateCustomerDocument, (data) => data.createCustomer, ["customers"]);
  const navigate = useNavigate();
  const id = useId();
  const create = async () => {
    const payload = await write.submit({ name: name.trim(), ...(externalId.trim() ? { externalId: externalId.trim() } : {}) });
    if (!payload?.customer) return;
    toast(`${payload.customer.name} is there.`);
    onClose();
    void navigate({ to: "/c/$customer", params: { customer: payload.customer.id } });
  };
  return (
    <Dialog
      narrow
      title="Create a customer"
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={name.trim() === "" && "Give a name first"}>
            Create the customer
          </Button>
        </>
      }
    >
      <Form formId={id} label="New customer" errors={write.errors} onSubmit={() => void create()}>
        <TextField name="name" label="Name" placeholder="City of Springfield" maxLength={200} value={name} onChange={({ target }) => setName(target.value)} />
        <TextField name="externalId" label="External id" hint="Its name in another system, such as your billing; unique. May stay empty." value={externalId} onChange={({ target }) => setExternalId(target.value)} className="mono" />
      </Form>
      <p className={styles["note"]}>It starts on the plan Free, with the environment production. Invite its first admin under People.</p>
      <Outcome state={write} what="the customer was created" inForm />
    </Dialog>
  );
}

export function RenameDialog({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const [name, setName] = useState(customer.name);
  const [externalId, setExternalId] = useState(customer.externalId ?? "");
  const write = useSubmit(UpdateCustomerDocument, (data) => data.updateCustomer, ["customers", topic.customer(customer.id)]);
  const id = useId();
  const external = externalId.trim() || null;
  const changes = { ...(name.trim() !== customer.name ? { name: name.trim() } : {}), ...(external !== (customer.externalId ?? null) ? { externalId: external } : {}) };
  const save = async () => {
    if (!(await write.submit({ customerId: customer.id, ...changes }))) return;
    toast(`${name.trim()} is changed.`);
    onClose();
  };
  const reason = name.trim() === "" ? "Give a name first" : Object.keys(changes).length === 0 ? "Nothing is changed" : null;
  return (
    <Dialog
      narrow
      title={`Name and external id of ${customer.name}`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={reason}>
            Change {customer.name}
          </Button>
        </>
      }
    >
      <Form formId={id} label="Customer" errors={write.errors} onSubmit={() => void save()}>
        <TextField name="name" label="Name" maxLength={200} value={name} onChange={({ target }) => setName(target.value)} />
        <TextField name="externalId" label="External id" hint="Its name in another system; unique. Empty: none." value={externalId} onChange={({ target }) => setExternalId(target.value)} className="mono" />
      </Form>
      <Outcome state={write} what="the customer was changed" inForm />
    </Dialog>
  );
}

const PLANS = ["FREE", "PRO", "ENTERPRISE"] as const satisfies readonly Plan[];

function limits(plan: Plan, plans: PlansQuery | undefined): string | undefined {
  const found = plans?.plans.find((one) => one.plan === plan);
  if (!found) return undefined;
  const n = (number: number) => number.toLocaleString("en");
  return `${n(found.agents)} agents of ${n(found.versionsPerAgent)} versions, ${n(found.members)} members, ${n(found.apiKeys)} keys, ${n(found.environments)} environments, ${n(found.requestsPerSecond)} requests a second`;
}

export function PlanDialog({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const [plan, setPlan] = useState<Plan>(customer.plan ?? "FREE");
  const plans = useData(PlansDocument, {}, { immutable: true });
  const write = useSubmit(SetPlanDocument, (data) => data.setPlan, ["customers", topic.customer(customer.id)]);
  const id = useId();
  const allowed = plans.data?.plans.find((one) => one.plan === plan);
  const over = allowed && customer.usage ? [customer.usage.agents.used > allowed.agents && "agents", customer.usage.members.used > allowed.members && "members", customer.usage.apiKeys.used > allowed.apiKeys && "keys"].filter(Boolean) : [];
  const set = async () => {
    if (!(await write.submit({ customerId: customer.id, plan }))) return;
    toast(`${customer.name} is on ${planWord(plan)} now.`);
    onClose();
  };
  return (
    <Dialog
      narrow
      title={`Plan of ${customer.name}`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Keep {planWord(customer.plan ?? "FREE")}</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={plan === customer.plan && `It is on ${planWord(plan)} already`}>
            Set {planWord(plan)}
          </Button>
        </>
      }
    >
      <Form formId={id} label="Plan" errors={write.errors} onSubmit={() => void set()}>
        <ChoiceField name="plan" label="Plan" value={plan} onChange={setPlan} choices={PLANS.map((one) => ({ value: one, label: planWord(one), hint: limits(one, plans.data) }))} />
      </Form>
      {over.length > 0 && <p className={styles["note"]}>It has more {over.join(" and ")} than {planWord(plan)} allows. It keeps them, and can’t add any.</p>}
      <Outcome state={write} what="the plan was set" inForm />
    </Dialog>
  );
}

type StatusKind = "suspend" | "resume" | "cancel" | "due";

const STATUS: Record<StatusKind, { status: BillingStatus; verb: string; done: string; danger: boolean; words: string }> = {
  suspend: {
    status: "SUSPENDED",
    verb: "Suspend",
    done: "is suspended",
    danger: true,
    words: "Serving stops within a second: gateways that honour it stop serving its agents. Members can read, revoke keys and remove members, and nothing else. Resuming undoes it.",
  },
  resume: { status: "ACTIVE", verb: "Resume", done: "is active again", danger: false, words: "What was active before serves again within a second, in every environment." },
  cancel: {
    status: "CANCELED",
    verb: "Cancel",
    done: "is canceled",
    danger: true,
    words: "Serving stops as when suspended, but for good: no other status can follow. Its data stays until you erase it.",
  },
  due: { status: "PAST_DUE", verb: "Mark as payment due", done: "has a payment due", danger: false, words: "Everything goes on working. Its members see a note." },
};

export function StatusDialog({ customer, kind, onClose }: { customer: Customer; kind: StatusKind; onClose: () => void }) {
  const write = useSubmit(SetBillingStatusDocument, (data) => data.setBillingStatus, ["customers", topic.customer(customer.id)]);
  const { status, verb, done, danger, words } = STATUS[kind];
  const set = async () => {
    if (!(await write.submit({ customerId: customer.id, status }))) return;
    toast(`${customer.name} ${done}.`);
    onClose();
  };
  return (
    <Confirm
      title={kind === "due" ? `Mark ${customer.name} as payment due?` : `${verb} ${customer.name}?`}
      action={kind === "due" ? verb : `${verb} ${customer.name}`}
      kind={danger ? "danger" : "filled"}
      keep={customer.billing ? `Keep it ${billingWord(customer.billing.status).toLowerCase()}` : "Cancel"}
      state={write}
      what={`${customer.name} ${done}`}
      onConfirm={() => void set()}
      onClose={onClose}
    >
      <p>{words}</p>
    </Confirm>
  );
}

export function EraseDialog({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const write = useSubmit(EraseCustomerDocument, (data) => data.eraseCustomer, ["customers", topic.customer(customer.id)]);
  const id = useId();
  const isTyped = isName(typed, customer.name);
  const erase = async () => {
    if (!isTyped || !(await write.submit({ customerId: customer.id }))) return;
    toast(`The data of ${customer.name} is erased.`);
    onClose();
  };
  return (
    <Dialog
      narrow
      title={`Erase the data of ${customer.name}?`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Keep the data</Button>
          <Button kind="danger" type="submit" form={id} busy={write.isBusy} reason={!isTyped && "Type the name first"}>
            Erase {customer.name}
          </Button>
        </>
      }
    >
      <p>
        Prompts, names, and what is known of its people are erased for good, from every version. Numbers and hashes stay, so that the audit’s chain holds. Gateways delete what they keep. It can’t be undone, and backups of the database aren’t changed.
      </p>
      <Form formId={id} label="Erase" errors={write.errors} onSubmit={() => void erase()} className={styles["erase"]}>
        <TextField name="name" label={<>Type <b>{customer.name}</b> to erase its data</>} value={typed} onChange={({ target }) => setTyped(target.value)} spellCheck={false} />
      </Form>
      <Outcome state={write} what="the data was erased" inForm />
    </Dialog>
  );
}
