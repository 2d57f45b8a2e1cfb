// One of few values, or several of them, each with its meaning.
import { useId, type ReactNode } from "react";
import { classes } from "./classes";
import styles from "./Choices.module.css";
import { FieldErrors } from "./Form";

export interface Choice<Value extends string> {
  value: Value;
  label: ReactNode;
  hint?: ReactNode;
  /** Why it can't be chosen now. */
  reason?: string | null;
}

interface Common<Value extends string> {
  /** The path of the field in the input, which errors name. */
  name: string;
  label: ReactNode;
  hint?: ReactNode;
  choices: readonly Choice<Value>[];
}

/** One value: radio buttons. */
export function ChoiceField<Value extends string>({ value, onChange, ...rest }: Common<Value> & { value: Value; onChange: (value: Value) => void }) {
  return <Set {...rest} type="radio" isChosen={(one) => one === value} onToggle={onChange} />;
}

/** Several values: boxes. */
export function ChoicesField<Value extends string>({ values, onChange, ...rest }: Common<Value> & { values: readonly Value[]; onChange: (values: Value[]) => void }) {
  const toggle = (value: Value) => onChange(rest.choices.map((one) => one.value).filter((one) => (one === value ? !values.includes(one) : values.includes(one))));
  return <Set {...rest} type="checkbox" isChosen={(one) => values.includes(one)} onToggle={toggle} />;
}

function Set<Value extends string>({ name, label, hint, choices, type, isChosen, onToggle }: Common<Value> & { type: "radio" | "checkbox"; isChosen: (value: Value) => boolean; onToggle: (value: Value) => void }) {
  const id = useId();
  return (
    <FieldErrors name={name}>
      {(field) => (
        <fieldset className={styles["set"]} id={field.id} tabIndex={-1} aria-describedby={field.describedBy}>
          <legend className={styles["legend"]}>{label}</legend>
          {hint && <p className={styles["hint"]}>{hint}</p>}
          <div className={styles["choices"]}>
            {choices.map((choice) => (
              <label key={choice.value} className={classes(styles["choice"], choice.reason && styles["dead"])}>
                <input
                  type={type}
                  name={type === "radio" ? id : undefined}
                  checked={isChosen(choice.value)}
                  aria-disabled={Boolean(choice.reason) || undefined}
                  onChange={() => {
                    if (!choice.reason) onToggle(choice.value);
                  }}
                />
                <span>
                  <span className={styles["name"]}>{choice.label}</span>
                  {(choice.reason || choice.hint) && <span className={styles["meaning"]}>{choice.reason || choice.hint}</span>}
                </span>
              </label>
            ))}
          </div>
        </fieldset>
      )}
    </FieldErrors>
  );
}
