import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useState } from "react";
import type { ChangeAction } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { timeZone } from "~/time";
import { Chip, DayFilter, Filters, SearchFilter, SelectFilter } from "~/ui/Filters";
import { actionWord, actorWord } from "~/words";
import { AuditAgentsDocument } from "./documents";
import styles from "./AuditPage.module.css";
import { actionsOf, choiceOf, dayOf, GROUPS, isFiltered } from "./filter";
import type { AuditSearch } from "./search";

const KINDS = ["USER", "API_KEY", "SERVICE", "OPERATOR", "SYSTEM"] as const;

/** `names` has the names of the agent and the actor, where the list has told them. */
export function AuditFilters({ search, customer, names, count }: { search: AuditSearch; customer: string; names: { agent?: string; actor?: string }; count?: string }) {
  const navigate = useNavigate({ from: "/c/$customer/audit" });
  const set = (change: Partial<AuditSearch>) => void navigate({ search: (old) => ({ ...old, revision: undefined, entry: undefined, ...change }), replace: true });
  const choice = choiceOf(search.actions);
  return (
    <Filters count={count} onClear={(isFiltered(search) || search.revision !== undefined) && (() => void navigate({ search: {} }))}>
      <SelectFilter label="Kind of change" value={choice} onChange={(value) => set({ actions: actionsOf(value) })}>
        <option value="">Every change</option>
        {choice === "other" && <option value="other">{search.actions?.length} kinds</option>}
        {GROUPS.map(({ key, label, actions }) => (
          <optgroup key={key} label={label}>
            <option value={key}>{label}: all</option>
            {actions.length > 1 && actions.map((action) => <Choice key={action} action={action} />)}
          </optgroup>
        ))}
        {choice !== "" && choice !== "other" && !GROUPS.some(({ key, actions }) => key === choice || actions.includes(choice as ChangeAction)) && <Choice action={choice as ChangeAction} />}
      </SelectFilter>
      <SelectFilter label="Made by" value={search.kind} onChange={(kind) => set({ kind: kind as AuditSearch["kind"] })}>
        <option value="">By anyone</option>
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {actorWord(kind)}
          </option>
        ))}
      </SelectFilter>
      {search.agent ? (
        <Chip onRemove={() => set({ agent: undefined })}>{names.agent ?? `Agent …${search.agent.slice(-6)}`}</Chip>
      ) : (
        <AgentFilter customer={customer} onChoose={(agent) => set({ agent })} />
      )}
      {search.actor && <Chip onRemove={() => set({ actor: undefined })}>By {names.actor ?? `…${search.actor.slice(-6)}`}</Chip>}
      <DayFilter label="From" value={dayOf(search.since, timeZone())} onChange={(since) => set({ since })} />
      <DayFilter label="To" value={dayOf(search.until, timeZone())} onChange={(until) => set({ until })} />
      {search.revision && <Chip onRemove={() => set({})}>Revision {search.revision}</Chip>}
    </Filters>
  );
}

function Choice({ action }: { action: ChangeAction }) {
  return <option value={action}>{actionWord(action)}</option>;
}

/** An agent by its name. Its names are unique within a customer, so a whole name is a choice. */
function AgentFilter({ customer, onChoose }: { customer: string; onChoose: (id: string) => void }) {
  const [name, setName] = useState("");
  const id = useId();
  const { data } = useData(AuditAgentsDocument, { customer, name: name.trim() }, { enabled: name.trim() !== "", keep: true });
  const agents = data?.customer?.agents.nodes ?? [];
  // Chosen from the suggestions, or written as a whole before they were there.
  const whole = agents.find((one) => one.name === name)?.id;
  useEffect(() => {
    if (whole) onChoose(whole);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only what is written counts
  }, [whole]);
  const chooseFirst = () => {
    const wanted = name.trim().toLowerCase();
    const found = agents.find((one) => one.name.toLowerCase() === wanted) ?? (agents.length === 1 ? agents[0] : undefined);
    if (found) onChoose(found.id);
  };
  return (
    <form
      className={styles["agent"]}
      onSubmit={(event) => {
        event.preventDefault();
        chooseFirst();
      }}
    >
      <SearchFilter label="Agent" value={name} onChange={setName} list={id} />
      <datalist id={id}>
        {agents.map((agent) => (
          <option key={agent.id} value={agent.name} />
        ))}
      </datalist>
    </form>
  );
}
