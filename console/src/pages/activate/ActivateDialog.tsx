import { Link } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";
import type { ActivationTarget } from "~/activation";
import { useCustomer } from "~/frame/scope";
import { reasonVerb } from "~/words";
import { Button } from "~/ui/Button";
import { EnvironmentConvergence, useAgentConvergence } from "~/ui/Convergence";
import { Dialog } from "~/ui/Dialog";
import { CheckField } from "~/ui/Form";
import { Icon } from "~/ui/Icon";
import { EnvironmentMark } from "~/ui/marks";
import { Fault, Gone, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import styles from "./ActivateDialog.module.css";
import { worstFirst } from "./impacts";
import { canSend, hasConsent } from "./machine";
import { PlanView } from "./PlanView";
import { command, consent, keep, outcome, question } from "./sentences";
import { useActivation, type Serving, type Version } from "./useActivation";

type Activation = ReturnType<typeof useActivation>;

/** The dialog that changes what serves: the plan first, then the button, then what came of it. */
export default function ActivateDialog({ target, onClose }: { target: ActivationTarget; onClose: () => void }) {
  const activation = useActivation(target);
  const { state, result } = activation;
  const { kind, environment } = activation.target;
  const isDefault = activation.serving?.environment.isDefault ?? environment === "production";
  const frame = { environment: { isDefault }, onClose, mayClose: () => state.phase !== "sending" };
  if (state.phase === "done" && result) return <Outcome activation={activation} frame={frame} />;
  const from = activation.plan?.previousVersion?.number ?? activation.serving?.activeVersion?.number ?? null;
  const to = nextNumber(activation);
  return (
    <Dialog {...frame} title={question(kind, environment, from, to)} foot={<Foot activation={activation} from={from} to={to} onClose={onClose} isDefault={isDefault} />}>
      <Body activation={activation} from={from} to={to} />
    </Dialog>
  );
}

/** The number of the version that will serve, as soon as it is known. */
function nextNumber({ target, plan, serving, source, candidates }: Activation): number | null {
  if (target.kind === "deactivate") return null;
  if (plan?.version) return plan.version.number;
  if (target.kind === "promote") return source?.number ?? null;
  if (target.kind === "rollback" && !target.versionId) return serving?.rollbackTarget?.number ?? null;
  return candidates.find(({ id }) => id === target.versionId)?.number ?? null;
}

function Body({ activation, from, to }: { activation: Activation; from: number | null; to: number | null }) {
  const { subject, agent, serving, planned, plan, state, target, isPlannable } = activation;
  if (subject.error && !agent) return <Fault error={subject.error} retry={() => void subject.refetch()} what="what serves" />;
  if (subject.data && !agent) return <Gone what="agent" />;
  if (!agent) return <Skeleton rows={6} />;
  if (!serving) return <Gone what="environment" />;
  return (
    <div className={styles["body"]}>
      <p className={styles["subject"]}>
        <strong>{agent.name}</strong> <EnvironmentMark environment={serving.environment} />
      </p>
      {state.hasMoved && <Moved serving={serving} from={from} to={to} />}
      {state.error && (
        <Band tone="bad">
          <span role="alert">{state.error}</span>
        </Band>
      )}
      {state.phase === "unsure" && (
        <Band tone="warn">
          <span role="alert">
            We don’t know yet whether this was done: no answer came. {state.tries > 4 ? "Ask again: the same request can’t do it twice." : "Asking again, with the same key, so that it can’t be done twice."}
          </span>
        </Band>
      )}
      {target.kind === "rollback" && <Candidates activation={activation} />}
      {!isPlannable ? (
        <Nothing kind={target.kind} serving={serving} />
      ) : planned.error && !plan ? (
        <Fault error={planned.error} retry={() => void planned.refetch()} what="the plan" />
      ) : !plan ? (
        <Skeleton rows={5} />
      ) : (
        <>
          {plan.previousVersion && plan.previousVersion.id === plan.version?.id && (
            <Band tone="ok">
              {target.environment} serves {plan.version.number} already.
            </Band>
          )}
          <PlanView plan={plan} isRollback={target.kind === "rollback" || target.kind === "deactivate"} />
          {plan.previousVersion && plan.version && plan.previousVersion.id !== plan.version.id && <Compare agentId={agent.id} from={plan.previousVersion.number} to={plan.version.number} />}
          <Boxes activation={activation} />
        </>
      )}
    </div>
  );
}

function Band({ tone, children }: { tone: "warn" | "bad" | "ok"; children: ReactNode }) {
  return (
    <div className={styles["band"]} data-tone={tone}>
      <Icon name={tone === "ok" ? "check" : "warn"} />
      <div>{children}</div>
    </div>
  );
}

/** "Ada Lee activated 14 just now. This is the plan from 14 to 15." */
function Moved({ serving, from, to }: { serving: Serving; from: number | null; to: number | null }) {
  const { latestActivation: latest } = serving;
  return (
    <div role="status">
      <Band tone="warn">
        {latest && (
          <>
            {latest.activatedBy.displayName} {reasonVerb(latest.reason)} {latest.version ? latest.version.number : "serving"} <Time at={latest.activatedAt} />.{" "}
          </>
        )}
        This is the plan from {from ?? "nothing"} to {to ?? "nothing"} as it is now. Look at it before you go on.
      </Band>
    </div>
  );
}

function Nothing({ kind, serving }: { kind: Activation["target"]["kind"]; serving: Serving }) {
  if (kind === "deactivate") return <p>{serving.environment.key} serves nothing already.</p>;
  if (kind === "promote") return <p>Nothing serves where the version was to come from.</p>;
  return <p>No version served here before: there is nothing to go back to.</p>;
}

function Compare({ agentId, from, to }: { agentId: string; from: number; to: number }) {
  const customer = useCustomer();
  return (
    <p>
      <Link to="/c/$customer/agents/$agent/compare" params={{ customer: customer.id, agent: agentId }} search={{ from, to }} target="_blank" className={styles["compare"]}>
        Compare {from} and {to} <Icon name="external" size={12} />
        <span className="unseen"> in a new tab</span>
      </Link>
    </p>
  );
}

/** The other versions that served here, for a rollback further back. */
function Candidates({ activation: { candidates, target, serving, restart, state } }: { activation: Activation }) {
  const chosen = target.versionId ?? serving?.rollbackTarget?.id;
  if (candidates.length < 2) return null;
  return (
    <details className={styles["candidates"]}>
      <summary>Go back to another version that served here ({candidates.length})</summary>
      <div role="radiogroup" aria-label="Version to go back to">
        {candidates.map((version) => (
          <label key={version.id} className={styles["candidate"]}>
            <input type="radio" name="candidate" checked={version.id === chosen} disabled={state.phase === "sending"} onChange={() => restart({ ...target, versionId: version.id })} />
            <span className={styles["number"]}>{version.number}</span>
            <span className={styles["message"]}>{version.message ?? version.modelName}</span>
            {version.id === serving?.rollbackTarget?.id && <span className="muted">served before this one</span>}
          </label>
        ))}
      </div>
    </details>
  );
}

function Boxes({ activation: { state, dispatch, plan } }: { activation: Activation }) {
  const impacts = worstFirst((state.basis?.mustConfirm ?? []).map((impact) => ({ impact })));
  if (impacts.length === 0 || state.basis?.decision === "REFUSE") return null;
  return (
    <div className={styles["boxes"]}>
      {impacts.map(({ impact }) => (
        <CheckField
          key={impact}
          name={`confirm-${impact}`}
          label={consent(impact, plan?.findings ?? [])}
          checked={state.ticked.includes(impact)}
          onChange={({ target }) => dispatch({ type: "ticked", impact, on: target.checked })}
        />
      ))}
    </div>
  );
}

/** Renders anew when the dead second is over. */
function useAlive(deadUntil: number): boolean {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const left = deadUntil - Date.now();
    const timer = setTimeout(() => setNow(Date.now()), Math.max(left, 0) + 10);
    return () => clearTimeout(timer);
  }, [deadUntil]);
  return now >= deadUntil;
}

/** Why the button does nothing; null if it acts. */
function useReason({ state, plan, serving, isPlannable, target }: Activation): string | null {
  const customer = useCustomer();
  const isAlive = useAlive(state.deadUntil);
  if (serving && !serving.viewerPermissions.includes("ACTIVATE_VERSIONS")) {
    return customer.why("ACTIVATE_VERSIONS") ?? (serving.environment.activateRole === "ADMIN" ? `${serving.environment.key} needs an admin` : "The agent is archived");
  }
  if (!isPlannable) return serving ? "There is nothing to do" : "The plan isn’t there yet";
  if (!plan || !state.basis || state.phase === "planning") return "The plan isn’t there yet";
  if (state.phase === "unsure") return null;
  if (state.basis.previousId === state.basis.nextId) return `${target.environment} serves it already`;
  if (state.basis.decision === "REFUSE") return "The environment’s rules refuse it";
  if (!isAlive) return "The plan has just changed";
  if (!hasConsent(state)) return "Tick the boxes first";
  return null;
}

function Foot({ activation, from, to, onClose, isDefault }: { activation: Activation; from: number | null; to: number | null; onClose: () => void; isDefault: boolean }) {
  const { state, target, confirm } = activation;
  const reason = useReason(activation);
  const isBusy = state.phase === "sending";
  const hasBoxes = (state.basis?.mustConfirm.length ?? 0) > 0;
  const act = () => {
    if (!reason && canSend(state, Date.now())) confirm();
  };
  // Enter confirms when nothing has to be ticked, unless a control has the focus.
  useEffect(() => {
    if (hasBoxes || reason || isBusy) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || event.repeat || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest("a, button, input, select, textarea, summary, [role=menu]")) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
  return (
    <>
      {reason && state.phase === "ready" && <span className={styles["reason"]}>{reason}</span>}
      <Button onClick={onClose} reason={isBusy && "The answer is on its way"}>
        {keep(from)}
      </Button>
      <Button kind={isDefault ? "production" : "filled"} reason={reason} busy={isBusy} onClick={act}>
        {state.phase === "unsure" ? "Ask again" : command(target.kind, target.environment, to)}
      </Button>
    </>
  );
}

/** What came of it, with the way back until the dialog is closed. */
function Outcome({ activation, frame }: { activation: Activation; frame: Omit<Parameters<typeof Dialog>[0], "title" | "children"> }) {
  const { result, target, agent, serving, restart, undo } = activation;
  const { environment, agentId } = target;
  const convergence = useAgentConvergence(agentId);
  const now = result?.serving?.activeVersion ?? null;
  const before = result?.activation?.previousVersion ?? null;
  const live = serving?.activeVersion ?? null;
  const hasMovedOn = serving !== null && live?.id !== now?.id;
  return (
    <Dialog
      {...frame}
      narrow
      title={outcome(environment, now?.number ?? null)}
      foot={
        <>
          <Button onClick={frame.onClose}>Close</Button>
          <Back kind={target.kind} now={now} before={before} hasMovedOn={hasMovedOn} environment={environment} restart={(next) => restart({ agentId, environment, ...next })} undo={undo} />
        </>
      }
    >
      <div className={styles["body"]} role="status">
        <Band tone="ok">
          {agent?.name}: {now ? `${now.number} is active in ${environment}` : `nothing is active in ${environment}`}
          {result?.activation && (
            <>
              {" "}
              since <Time at={result.activation.activatedAt} />
            </>
          )}
          .
        </Band>
        {hasMovedOn && (
          <Band tone="warn">
            It has moved on since: {environment} serves {live ? live.number : "nothing"} now.
          </Band>
        )}
        <EnvironmentConvergence servings={convergence} environment={environment} none="No gateway has reported yet. The next one that connects gets it." />
        {now && before && <Compare agentId={agentId} from={before.number} to={now.number} />}
      </div>
    </Dialog>
  );
}

interface BackProps {
  kind: ActivationTarget["kind"];
  now: Version | null;
  before: Version | null;
  hasMovedOn: boolean;
  environment: string;
  restart: (next: Pick<ActivationTarget, "kind" | "versionId">) => void;
  undo: (from: Version, to: Version) => void;
}

function Back({ kind, now, before, hasMovedOn, environment, restart, undo }: BackProps) {
  const reason = hasMovedOn && "Somebody changed it since";
  if (kind === "rollback" && before) {
    return (
      <Button icon="undo" reason={reason} onClick={() => restart({ kind: "activate", versionId: before.id })}>
        Serve {before.number} again…
      </Button>
    );
  }
  if (now && before) {
    return (
      <Button icon="undo" reason={reason} onClick={() => undo(now, before)}>
        Roll back to {before.number}
      </Button>
    );
  }
  if (now) {
    return (
      <Button icon="undo" reason={reason} onClick={() => restart({ kind: "deactivate" })}>
        Stop serving in {environment}…
      </Button>
    );
  }
  if (!before) return null;
  return (
    <Button icon="undo" reason={reason} onClick={() => restart({ kind: "activate", versionId: before.id })}>
      Serve {before.number} again…
    </Button>
  );
}
