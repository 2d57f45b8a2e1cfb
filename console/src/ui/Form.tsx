// Forms: each field with its label, hint and error; all errors at once, in a summary on top that links to the fields.
import { createContext, useContext, useEffect, useId, useRef, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import { classes } from "./classes";
import styles from "./Form.module.css";
import { Icon } from "./Icon";

/** An error of a payload: where in the input, and what would be right. */
export interface FieldError {
  path?: readonly string[] | null;
  field?: string | null;
  message: string;
}

/** The path of an error as one string: `tools.0.name`. */
export function pathOf({ path, field }: FieldError): string | null {
  return path?.length ? path.join(".") : (field ?? null);
}

interface FormState {
  id: string;
  errors: readonly FieldError[];
}

const FormContext = createContext<FormState>({ id: "", errors: [] });

/** A form. `errors` are a payload's `userErrors`, as they came. */
export function Form({ errors = [], onSubmit, children, label, className, formId }: { errors?: readonly FieldError[]; onSubmit: () => void; children: ReactNode; label: string; className?: string; /** For a button outside of the form, such as a dialog’s: `<Button type="submit" form={formId}>`. */ formId?: string }) {
  const id = useId();
  const summary = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (errors.length > 0) summary.current?.focus();
  }, [errors]);
  const submit = (event: { preventDefault: () => void }) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <FormContext value={{ id, errors }}>
      <form id={formId} className={classes(styles["form"], className)} onSubmit={submit} noValidate aria-label={label}>
        {errors.length > 0 && (
          <div ref={summary} className={styles["summary"]} role="alert" tabIndex={-1}>
            <h3>{errors.length === 1 ? "One thing has to be put right" : `${errors.length} things have to be put right`}</h3>
            <ul>
              {errors.map((error, index) => (
                <li key={index}>{pathOf(error) ? <a href={`#${id}-${pathOf(error)}`} onClick={(event) => jump(event, `${id}-${pathOf(error)}`)}>{error.message}</a> : error.message}</li>
              ))}
            </ul>
          </div>
        )}
        {children}
      </form>
    </FormContext>
  );
}

/** Focuses a field. The address stays as it is. */
function jump(event: { preventDefault: () => void }, id: string): void {
  event.preventDefault();
  document.getElementById(id)?.focus();
}

interface FieldProps {
  /** The path of the field in the input, such as `name`, which errors name. */
  name: string;
  label: ReactNode;
  hint?: ReactNode;
}

function useField(name: string, hint: ReactNode) {
  const { id: form, errors } = useContext(FormContext);
  const fallback = useId();
  const id = `${form || fallback}-${name}`;
  const own = errors.filter((error) => {
    const path = pathOf(error);
    return path === name || path?.startsWith(`${name}.`);
  });
  const described = [hint ? `${id}-hint` : null, own.length > 0 ? `${id}-error` : null].filter(Boolean).join(" ");
  return { id, own, aria: { id, "aria-invalid": own.length > 0 || undefined, "aria-describedby": described || undefined } };
}

function Frame({ id, label, hint, own, children }: { id: string; label: ReactNode; hint: ReactNode; own: readonly FieldError[]; children: ReactNode }) {
  return (
    <div className={styles["field"]}>
      <label className={styles["label"]} htmlFor={id}>
        {label}
      </label>
      {hint && (
        <span className={styles["hint"]} id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {children}
      {own.length > 0 && (
        <span className={styles["error"]} id={`${id}-error`}>
          <Icon name="warn" size={12} />
          {own.map(({ message }) => message).join(" ")}
        </span>
      )}
    </div>
  );
}

export function TextField({ name, label, hint, ...rest }: FieldProps & Omit<InputHTMLAttributes<HTMLInputElement>, "name">) {
  const { id, own, aria } = useField(name, hint);
  return (
    <Frame id={id} label={label} hint={hint} own={own}>
      <input autoComplete="off" {...rest} {...aria} className={classes(styles["input"], rest.className)} />
    </Frame>
  );
}

export function TextArea({ name, label, hint, ...rest }: FieldProps & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "name">) {
  const { id, own, aria } = useField(name, hint);
  return (
    <Frame id={id} label={label} hint={hint} own={own}>
      <textarea autoComplete="off" {...rest} {...aria} className={classes(styles["input"], rest.className)} />
    </Frame>
  );
}

export function SelectField({ name, label, hint, children, ...rest }: FieldProps & Omit<SelectHTMLAttributes<HTMLSelectElement>, "name">) {
  const { id, own, aria } = useField(name, hint);
  return (
    <Frame id={id} label={label} hint={hint} own={own}>
      <select {...rest} {...aria} className={classes(styles["input"], rest.className)}>
        {children}
      </select>
    </Frame>
  );
}

/** What a control of its own needs to know of its field. */
export interface ControlProps {
  id: string;
  describedBy: string | undefined;
  isWrong: boolean;
}

/** A field whose control isn't one of these, such as an editor. */
export function CustomField({ name, label, hint, children }: FieldProps & { children: (control: ControlProps) => ReactNode }) {
  const { id, own, aria } = useField(name, hint);
  return (
    <Frame id={id} label={label} hint={hint} own={own}>
      {children({ id, describedBy: aria["aria-describedby"], isWrong: own.length > 0 })}
    </Frame>
  );
}

/** A box to tick, with its words. */
export function CheckField({ name, label, hint, ...rest }: FieldProps & Omit<InputHTMLAttributes<HTMLInputElement>, "name">) {
  const { id, own, aria } = useField(name, hint);
  return (
    <div className={styles["field"]}>
      <label className={styles["check"]}>
        <input type="checkbox" {...rest} {...aria} />
        <span>{label}</span>
      </label>
      {hint && (
        <span className={styles["hint"]} id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {own.length > 0 && (
        <span className={styles["error"]} id={`${id}-error`}>
          {own.map(({ message }) => message).join(" ")}
        </span>
      )}
    </div>
  );
}

/** The errors of a field that isn't an input: a group of boxes or radio buttons. */
export function FieldErrors({ name, children }: { name: string; children: (field: { id: string; describedBy: string | undefined }) => ReactNode }) {
  const { id, own } = useField(name, null);
  return (
    <div className={styles["field"]}>
      {children({ id, describedBy: own.length > 0 ? `${id}-error` : undefined })}
      {own.length > 0 && (
        <span className={styles["error"]} id={`${id}-error`}>
          <Icon name="warn" size={12} />
          {own.map(({ message }) => message).join(" ")}
        </span>
      )}
    </div>
  );
}

/** A field of its own, outside of a form: a filter above a table. */
export const inputClass = styles["input"] ?? "";

/** The row of a form's buttons. */
export function FormButtons({ children }: { children: ReactNode }) {
  return <div className={styles["buttons"]}>{children}</div>;
}
