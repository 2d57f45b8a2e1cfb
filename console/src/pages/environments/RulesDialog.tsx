import { useId, useState } from "react";
import type { BreakingPolicy, Role } from "~/__generated__/graphql";
import { useSubmit, type SubmitState } from "~/api/submit";
import { topic } from "~/api/topics";
import { Button } from "~/ui/Button";
import { ChoiceField } from "~/ui/Choices";
import { Dialog } from "~/ui/Dialog";
import { Form, inputClass, SelectField, TextArea, TextField, type FieldError } from "~/ui/Form";
import { Outcome } from "~/ui/Outcome";
import { toast } from "~/ui/toasts";
import { CreateEnvironmentDocument, UpdateEnvironmentDocument } from "./documents";
import styles from "./EnvironmentsPage.module.css";
import { changesOf, emptyFields, fieldsOf, modelsOf, previewOf, sentencesOf, soakSeconds, type Environment, type RuleFields } from "./rules";

const NOT_A_TIME: FieldError[] = [{ path: ["minSoakSeconds"], message: "Give the time as a number, such as 1 or 1.5." }];

export function CreateDialog({ customerId, others, onClose }: { customerId: string; others: readonly Environment[]; onClose: () => void }) {
  const [fields, setFields] = useState<RuleFields>(emptyFields);
  const write = useSubmit(CreateEnvironmentDocument, (data) => data.createEnvironment, [topic.environments(customerId)]);
  const create = async () => {
    const key = fields.key.trim();
    const models = modelsOf(fields.models);
    const payload = await write.submit({
      customerId,
      key,
      name: fields.name.trim() || key,
      onBreaking: fields.onBreaking,
      activateRole: fields.activateRole,
      ...(fields.promoteFrom ? { promoteFrom: fields.promoteFrom, minSoakSeconds: soakSeconds(fields) ?? 0 } : {}),
      ...(models ? { allowedModels: models } : {}),
    });
    if (!payload) return;
    toast(`The environment ${key} is there. Nothing serves in it yet.`);
    onClose();
  };
  return (
    <RulesDialog
      title="Create an environment"
      action={fields.key.trim() ? `Create ${fields.key.trim()}` : "Create the environment"}
      reason={fields.key.trim() === "" ? "Give a key first" : null}
      what="the environment was created"
      fields={fields}
      setFields={setFields}
      others={others}
      isNew
      write={write}
      onSubmit={create}
      onClose={onClose}
    />
  );
}

export function EditDialog({ customerId, environment, others, onClose }: { customerId: string; environment: Environment; others: readonly Environment[]; onClose: () => void }) {
  const [fields, setFields] = useState<RuleFields>(() => fieldsOf(environment));
  const write = useSubmit(UpdateEnvironmentDocument, (data) => data.updateEnvironment, [topic.environments(customerId)]);
  const changes = changesOf(environment, fields);
  const save = async () => {
    if (!(await write.submit({ environmentId: environment.id, ...changes }))) return;
    toast(`The rules of ${environment.key} are changed. What serves there goes on.`);
    onClose();
  };
  return (
    <RulesDialog
      title={`Rules of ${environment.key}`}
      environment={environment}
      action={`Change the rules of ${environment.key}`}
      reason={Object.keys(changes).length === 0 ? "Nothing is changed" : null}
      what="the rules were changed"
      fields={fields}
      setFields={setFields}
      others={others}
      write={write}
      onSubmit={save}
      onClose={onClose}
    />
  );
}

interface RulesDialogProps {
  title: string;
  action: string;
  reason: string | null;
  what: string;
  fields: RuleFields;
  setFields: (fields: RuleFields) => void;
  others: readonly Environment[];
  isNew?: boolean;
  environment?: Environment;
  write: SubmitState;
  onSubmit: () => Promise<void>;
  onClose: () => void;
}

function RulesDialog({ title, action, reason, what, fields, setFields, others, isNew, environment, write, onSubmit, onClose }: RulesDialogProps) {
  const id = useId();
  const [own, setOwn] = useState<FieldError[]>([]);
  const set = (change: Partial<RuleFields>) => setFields({ ...fields, ...change });
  const submit = () => {
    const errors = soakSeconds(fields) === null ? NOT_A_TIME : [];
    setOwn(errors);
    if (errors.length === 0 && !reason) void onSubmit();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      environment={environment}
      mayClose={() => !write.isBusy}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={environment?.isDefault ? "production" : "filled"} type="submit" form={id} busy={write.isBusy} reason={reason}>
            {action}
          </Button>
        </>
      }
    >
      <Form formId={id} label={title} errors={own.length > 0 ? own : write.errors} onSubmit={submit}>
        {isNew && <TextField name="key" label="Key" hint="Small letters, digits and hyphens. Gateways and the API name it by its key, which never changes." placeholder="staging" maxLength={32} value={fields.key} onChange={({ target }) => set({ key: target.value })} className="mono" />}
        <TextField name="name" label="Name" hint="For people." placeholder={isNew ? fields.key : undefined} maxLength={200} value={fields.name} onChange={({ target }) => set({ name: target.value })} />
        <SelectField name="promoteFrom" label="Takes versions from" value={fields.promoteFrom} onChange={({ target }) => set({ promoteFrom: target.value })}>
          <option value="">Anywhere: any version may serve here</option>
          {others.map(({ key }) => (
            <option key={key} value={key}>
              {key}: only what has run there
            </option>
          ))}
        </SelectField>
        {fields.promoteFrom && (
          <div className={styles["soak"]}>
            <TextField name="minSoakSeconds" label={`For how long it must have run in ${fields.promoteFrom}`} inputMode="decimal" placeholder="0" value={fields.soak} onChange={({ target }) => set({ soak: target.value })} />
            <select className={inputClass} aria-label="Unit of the time" value={fields.soakUnit} onChange={({ target }) => set({ soakUnit: target.value as RuleFields["soakUnit"] })}>
              <option value="60">minutes</option>
              <option value="3600">hours</option>
              <option value="86400">days</option>
            </select>
          </div>
        )}
        <ChoiceField<BreakingPolicy>
          name="onBreaking"
          label="A change that may break running conversations"
          value={fields.onBreaking}
          onChange={(onBreaking) => set({ onBreaking })}
          choices={[
            { value: "ALLOW", label: "Goes through" },
            { value: "CONFIRM", label: "Asks for a confirmation", hint: "The plan names what may break, with a box to tick for each" },
            { value: "REFUSE", label: "Is refused", hint: "Rolling back is never refused for it" },
          ]}
        />
        <ChoiceField<Role>
          name="activateRole"
          label="Who may activate, roll back and stop here"
          value={fields.activateRole}
          onChange={(activateRole) => set({ activateRole })}
          choices={[
            { value: "EDITOR", label: "Editors and admins", hint: "And keys that may activate" },
            { value: "ADMIN", label: "Admins alone", hint: "No key may: a key counts as an editor" },
          ]}
        />
        <TextArea name="allowedModels" label="Models that may be used" hint="One a line. Empty: every model." rows={3} value={fields.models} onChange={({ target }) => set({ models: target.value })} className="mono" />
        <section className={styles["preview"]} aria-label="The rules in words">
          <h3>In words</h3>
          <Sentences sentences={sentencesOf(previewOf(fields))} />
        </section>
      </Form>
      <Outcome state={write} what={what} inForm />
    </Dialog>
  );
}

export function Sentences({ sentences }: { sentences: readonly string[] }) {
  return (
    <ul className={styles["sentences"]}>
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}
