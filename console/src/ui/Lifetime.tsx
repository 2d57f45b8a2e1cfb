import { useState } from "react";
import { endOf, LIFETIMES } from "./credentials";
import { SelectField } from "./Form";

export interface Lifetime {
  key: string;
  /** Set at the choice, so that a repeated write sends the same. */
  expiresAt: string | undefined;
  choose: (key: string) => void;
}

/** How long a new credential is valid, `first` until another is chosen. */
export function useLifetime(first: string): Lifetime {
  const [chosen, setChosen] = useState(() => ({ key: first, expiresAt: endOf(first, Date.now()) }));
  return { ...chosen, choose: (key) => setChosen({ key, expiresAt: endOf(key, Date.now()) }) };
}

export function LifetimeField({ lifetime }: { lifetime: Lifetime }) {
  return (
    <SelectField name="expiresAt" label="Ends" value={lifetime.key} onChange={({ target }) => lifetime.choose(target.value)}>
      {LIFETIMES.map(({ key, label }) => (
        <option key={key} value={key}>
          {label}
        </option>
      ))}
    </SelectField>
  );
}
