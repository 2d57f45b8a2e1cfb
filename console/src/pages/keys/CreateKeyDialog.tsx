import { useId, useState } from "react";
import type { ApiKeyScope } from "~/__generated__/graphql";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import type { CustomerScope } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { ChoiceField, ChoicesField } from "~/ui/Choices";
import { Dialog } from "~/ui/Dialog";
import { Form, TextField } from "~/ui/Form";
import { EnvironmentMark } from "~/ui/marks";
import { LifetimeField, useLifetime } from "~/ui/Lifetime";
import { Outcome } from "~/ui/Outcome";
import { scopeWord } from "~/words";
import { CreateApiKeyDocument } from "./documents";
import styles from "./KeysPage.module.css";
import { PRESETS, SCOPES, whyEverywhere, whyNotScope } from "./scopes";

export interface CreatedKey {
  name: string;
  secret: string | null;
}

export function CreateKeyDialog({ customer, onCreated, onClose }: { customer: CustomerScope; onCreated: (key: CreatedKey) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<ApiKeyScope[]>([]);
  const [isSome, setSome] = useState(false);
  const [environments, setEnvironments] = useState<string[]>([]);
  const lifetime = useLifetime("90");
  const { expiresAt } = lifetime;
  const write = useSubmit(CreateApiKeyDocument, (data) => data.createApiKey, [topic.keys(customer.id)]);
  const id = useId();
  const chosen = isSome ? environments : null;
  const everywhere = whyEverywhere(scopes);
  const create = async () => {
    const input = { customerId: customer.id, name: name.trim(), scopes, ...(chosen ? { environments: chosen } : {}), ...(expiresAt ? { expiresAt } : {}) };
    const payload = await write.submit(input);
    if (payload?.apiKey) onCreated({ name: payload.apiKey.name, secret: payload.secret ?? null });
  };
  const reason = name.trim() === "" ? "Give the key a name first" : scopes.length === 0 ? "Choose what the key may do" : isSome && environments.length === 0 ? "Choose an environment" : null;
  return (
    <Dialog
      title={`Create a key of ${customer.name}`}
      onClose={onClose}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" type="submit" form={id} busy={write.isBusy} reason={reason}>
            Create the key
          </Button>
        </>
      }
    >
      <Form formId={id} label="New key" errors={write.errors} onSubmit={() => void create()}>
        <TextField name="name" label="Name" hint="What the key is for: the audit shows it beside what the key does." placeholder="deploy pipeline" maxLength={200} value={name} onChange={({ target }) => setName(target.value)} />
        <div>
          <div className={styles["presets"]}>
            <span className="muted">Start from</span>
            {PRESETS.map((preset) => (
              <Button key={preset.label} small onClick={() => setScopes(preset.scopes.filter((one) => !whyNotScope(one, chosen)))}>
                {preset.label}
              </Button>
            ))}
          </div>
          <ChoicesField
            name="scopes"
            label="What the key may do"
            values={scopes}
            onChange={setScopes}
            choices={SCOPES.map(({ value, hint }) => ({ value, hint, label: scopeWord(value), reason: whyNotScope(value, chosen) }))}
          />
        </div>
        <ChoiceField
          name="environments"
          label="Where"
          value={isSome ? "some" : "all"}
          onChange={(value) => setSome(value === "some")}
          choices={[
            { value: "all", label: "Every environment", hint: "Later ones too" },
            { value: "some", label: "Only in some", hint: "What is elsewhere isn’t there for the key", reason: everywhere },
          ]}
        />
        {isSome && (
          <ChoicesField
            name="environmentKeys"
            label="Environments"
            values={environments}
            onChange={setEnvironments}
            choices={customer.environments.map((environment) => ({ value: environment.key, label: <EnvironmentMark environment={environment} />, hint: environment.name }))}
          />
        )}
        <LifetimeField lifetime={lifetime} />
      </Form>
      <Outcome state={write} what="the key was created" inForm />
    </Dialog>
  );
}
