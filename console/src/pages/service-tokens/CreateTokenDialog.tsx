import { useId, useState } from "react";
import type { ServiceScope } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { Button } from "~/ui/Button";
import { ChoiceField, ChoicesField } from "~/ui/Choices";
import { Dialog } from "~/ui/Dialog";
import { Chip } from "~/ui/Filters";
import { Form, TextField } from "~/ui/Form";
import { LifetimeField, useLifetime } from "~/ui/Lifetime";
import { Outcome } from "~/ui/Outcome";
import { scopeWord } from "~/words";
import { CreateServiceTokenDocument, FindCustomersDocument } from "./documents";
import { keysOf } from "./keys";
import styles from "./ServiceTokensPage.module.css";

interface Named {
  id: string;
  name: string;
}

const SCOPES: { value: ServiceScope; hint: string }[] = [
  { value: "CONFIGS_READ", hint: "What is served: prompts, parameters, tools" },
  { value: "ACTIVATIONS_WATCH", hint: "Receive activations; with the one above, configurations too" },
];

export function CreateTokenDialog({ refetch, onCreated, onClose }: { refetch: () => void; onCreated: (token: { name: string; secret: string | null }) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<ServiceScope[]>(["CONFIGS_READ", "ACTIVATIONS_WATCH"]);
  const [isLimited, setLimited] = useState(false);
  const [customers, setCustomers] = useState<Named[]>([]);
  const [isSome, setSome] = useState(false);
  const [environments, setEnvironments] = useState("production");
  const lifetime = useLifetime("never");
  const { expiresAt } = lifetime;
  const write = useSubmit(CreateServiceTokenDocument, (data) => data.createServiceToken);
  const id = useId();
  const keys = keysOf(environments);
  const create = async () => {
    const payload = await write.submit({
      name: name.trim(),
      scopes,
      ...(isLimited ? { customerIds: customers.map((one) => one.id) } : {}),
      ...(isSome ? { environments: keys } : {}),
      ...(expiresAt ? { expiresAt } : {}),
    });
    if (!payload?.serviceToken) return;
    refetch();
    onCreated({ name: payload.serviceToken.name, secret: payload.secret ?? null });
  };
  const reason =
    name.trim() === ""
      ? "Give the token a name first"
      : scopes.length === 0
        ? "Choose what the token may do"
        : isLimited && customers.length === 0
          ? "Choose a customer"
          : isSome && keys.length === 0
            ? "Name an environment"
            : null;
  return (
    <Dialog
      title="Create a service token"
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={reason}>
            Create the token
          </Button>
        </>
      }
    >
      <Form formId={id} label="New service token" errors={write.errors} onSubmit={() => void create()}>
        <TextField name="name" label="Name" hint="The service that uses it, such as a gateway and its region." placeholder="gateway eu-central" maxLength={200} value={name} onChange={({ target }) => setName(target.value)} />
        <ChoicesField name="scopes" label="What the token may do" values={scopes} onChange={setScopes} choices={SCOPES.map(({ value, hint }) => ({ value, hint, label: scopeWord(value) }))} />
        <ChoiceField
          name="customers"
          label="For whom"
          value={isLimited ? "some" : "all"}
          onChange={(value) => setLimited(value === "some")}
          choices={[
            { value: "all", label: "Every customer", hint: "Later ones too" },
            { value: "some", label: "Only some customers", hint: "At most 100" },
          ]}
        />
        {isLimited && <CustomersField chosen={customers} setChosen={setCustomers} />}
        <ChoiceField
          name="where"
          label="Where"
          value={isSome ? "some" : "all"}
          onChange={(value) => setSome(value === "some")}
          choices={[
            { value: "all", label: "Every environment", hint: "Later ones too" },
            { value: "some", label: "Only in some", hint: "What is elsewhere isn’t there for the token" },
          ]}
        />
        {isSome && <TextField name="environments" label="Keys of the environments" hint="Between commas; the same for every customer." value={environments} onChange={({ target }) => setEnvironments(target.value)} className="mono" />}
        <LifetimeField lifetime={lifetime} />
      </Form>
      <Outcome state={write} what="the token was created" inForm />
    </Dialog>
  );
}

/** Customers, found by name and added one by one. */
function CustomersField({ chosen, setChosen }: { chosen: readonly Named[]; setChosen: (customers: Named[]) => void }) {
  const [name, setName] = useState("");
  const { data } = useData(FindCustomersDocument, { name: name.trim() }, { enabled: name.trim() !== "", keep: true });
  const found = name.trim() === "" ? [] : (data?.customers.nodes ?? []).filter(({ id }) => chosen.every((one) => one.id !== id));
  const add = (customer: Named | undefined) => {
    if (!customer || chosen.length >= 100) return;
    setChosen([...chosen, customer]);
    setName("");
  };
  return (
    <div className={styles["customers"]}>
      <TextField
        name="customerIds"
        label="Customers"
        placeholder="Part of a name"
        value={name}
        onChange={({ target }) => setName(target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add(found[0]);
        }}
      />
      {found.length > 0 && (
        <ul className={styles["found"]}>
          {found.map((customer) => (
            <li key={customer.id}>
              <Button small kind="quiet" icon="add" onClick={() => add(customer)}>
                Add {customer.name}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className={styles["chosen"]}>
        {chosen.map((customer) => (
          <Chip key={customer.id} onRemove={() => setChosen(chosen.filter(({ id }) => id !== customer.id))}>
            {customer.name}
          </Chip>
        ))}
      </div>
    </div>
  );
}
