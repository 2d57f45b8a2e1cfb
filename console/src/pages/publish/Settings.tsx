import { useState } from "react";
import { exactNumber, numberText } from "~/api/exact";
import { Editor } from "~/ui/editor";
import { CustomField, TextField } from "~/ui/Form";
import { jsonErrors, parameterOf, withParameter } from "./draft";
import styles from "./Publish.module.css";

const FIELDS: [key: string, label: string][] = [
  ["temperature", "Temperature"],
  ["top_p", "Top p"],
  ["max_tokens", "Max tokens"],
];

/** The model's settings: three of them as fields, all of them as JSON. The JSON is the one source. */
export function Settings({ parameters, onChange }: { parameters: string; onChange: (parameters: string) => void }) {
  const errors = jsonErrors(parameters);
  return (
    <>
      <div className={styles["numbers"]}>
        {FIELDS.map(([key, label]) => (
          <NumberField key={key} name={key} label={label} parameters={parameters} onChange={onChange} />
        ))}
      </div>
      <CustomField name="modelParameters" label="All settings" hint="A JSON object. Numbers stay as they are typed.">
        {({ id, describedBy }) => <Editor id={id} describedBy={describedBy} language="json" lines={4} label="All settings as JSON" value={parameters} errors={errors} onChange={onChange} />}
      </CustomField>
      {errors.map(({ line, message }) => (
        <span key={line} className={styles["lineError"]}>
          Line {line}: {message}
        </span>
      ))}
    </>
  );
}

/** A number, as its text. What isn't a number yet stays in the field, and changes nothing. */
function NumberField({ name, label, parameters, onChange }: { name: string; label: string; parameters: string; onChange: (parameters: string) => void }) {
  const value = parameterOf(parameters, name);
  const text = value === undefined ? "" : numberText(value);
  const [typed, setTyped] = useState<string | null>(null);
  const isNumber = text !== null;
  const isBroken = jsonErrors(parameters).length > 0;
  return (
    <TextField
      name={`setting-${name}`}
      label={label}
      inputMode="decimal"
      placeholder="the model’s own"
      className={styles["mono"]}
      readOnly={isBroken || !isNumber}
      value={typed ?? text ?? JSON.stringify(value)}
      aria-invalid={typed !== null || undefined}
      onChange={({ target }) => {
        const next = target.value.trim();
        const number = next === "" ? undefined : exactNumber(next);
        const changed = number === null ? null : withParameter(parameters, name, number);
        setTyped(changed === null ? target.value : null);
        if (changed !== null) onChange(changed);
      }}
      onBlur={() => setTyped(null)}
    />
  );
}
