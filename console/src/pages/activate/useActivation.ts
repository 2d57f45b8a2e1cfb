// Reads the subject and the plan, keeps them current, and sends the write.
import { useEffect, useMemo, useReducer, useState } from "react";
import type { ActivationSubjectQuery, ActivationResultFragment, PlanPartsFragment } from "~/__generated__/graphql";
import type { ActivationTarget } from "~/activation";
import { RequestError } from "~/api/errors";
import { newIdempotencyKey, refetch, request, useData } from "~/api/query";
import { topic } from "~/api/topics";
import { useCustomer } from "~/frame/scope";
import { ActivateVersionDocument, ActivationPlanDocument, ActivationSubjectDocument, DeactivateDocument, PromoteVersionDocument, RollBackDocument } from "./documents";
import { initial, reduce, type Basis, type DialogState } from "./machine";
import type { Kind } from "./sentences";

type Subject = NonNullable<ActivationSubjectQuery["agent"]>;
export type Serving = Subject["servings"][number];
export type Version = NonNullable<Serving["activeVersion"]>;

/** The versions that served here before, the latest first, without the one that serves. */
export function candidatesOf(serving: Serving, activations: Subject["activations"]["nodes"]): Version[] {
  const found = new Map<string, Version>();
  if (serving.rollbackTarget) found.set(serving.rollbackTarget.id, serving.rollbackTarget);
  for (const { version } of activations) {
    if (version && version.id !== serving.activeVersion?.id && !found.has(version.id)) found.set(version.id, version);
  }
  return [...found.values()];
}

/** A rollback and a deactivation wait for no rule but the role. */
function basisOf(kind: Kind, plan: PlanPartsFragment, sourceId: string | null): Basis {
  const { planHash, previousVersion, version, decision, mustConfirm, policy } = plan;
  const ids = { planHash, previousId: previousVersion?.id ?? null, nextId: version?.id ?? null, sourceId };
  if (kind === "activate" || kind === "promote") return { ...ids, decision, mustConfirm };
  const isRefused = policy.some(({ rule, effect }) => rule === "ACTIVATE_ROLE" && effect === "REFUSE");
  return { ...ids, decision: isRefused ? "REFUSE" : "ALLOW", mustConfirm: [] };
}

/** The dialog's whole state, and what it can do. */
export function useActivation(first: ActivationTarget) {
  const customer = useCustomer();
  const [target, setTarget] = useState(first);
  const [state, dispatch] = useReducer(reduce, null, () => initial(newIdempotencyKey()));
  const [result, setResult] = useState<ActivationResultFragment | null>(null);
  const { kind, agentId, environment, fromEnvironment } = target;
  const subject = useData(ActivationSubjectDocument, { agent: agentId, environment }, { topics: [topic.agent(agentId)] });
  const agent = subject.data?.agent ?? null;
  const serving = agent?.servings.find((one) => one.environment.key === environment) ?? null;
  const source = agent?.servings.find((one) => one.environment.key === fromEnvironment)?.activeVersion ?? null;
  const candidates = useMemo(() => (agent && serving ? candidatesOf(serving, agent.activations.nodes) : []), [agent, serving]);
  const versionId = kind === "deactivate" ? null : kind === "promote" ? (source?.id ?? null) : (target.versionId ?? (kind === "rollback" ? (serving?.rollbackTarget?.id ?? null) : null));
  const isPlannable = kind === "deactivate" ? serving?.activeVersion != null : versionId !== null;
  const planned = useData(ActivationPlanDocument, { agent: agentId, environment, version: versionId }, { topics: [topic.agent(agentId)], enabled: isPlannable && state.phase !== "done" });
  const plan = isPlannable ? (planned.data?.activationPlan ?? null) : null;
  const isReading = planned.isFetching || subject.isFetching;
  const sourceId = source?.id ?? null;
  const { phase } = state;

  useEffect(() => {
    if (!plan || isReading) return;
    dispatch({ type: "planned", basis: basisOf(kind, plan, kind === "promote" ? sourceId : null), now: Date.now(), key: newIdempotencyKey() });
  }, [plan, isReading, kind, sourceId, phase]);

  const write = async (what: Kind, basis: Basis, sent: Pick<DialogState, "idempotencyKey" | "ticked">) => {
    try {
      const answer = await send(what, basis, sent, { agentId, environment, fromEnvironment });
      if (answer.userErrors.length === 0) setResult(answer);
      dispatch({ type: "answered", errors: answer.userErrors });
      refetch([topic.agent(agentId), topic.agents(customer.id), topic.activations(customer.id)]);
    } catch (error) {
      if (error instanceof RequestError && error.isUnsure) dispatch({ type: "unsure" });
      else dispatch({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };

  /** Sends what the dialog shows; after an unsure outcome the very same write again. */
  const confirm = () => {
    if (!state.basis) return;
    dispatch({ type: "sent", now: Date.now() });
    void write(kind, state.basis, state);
  };

  /** Asks for something else in the same dialog. */
  const restart = (next: ActivationTarget) => {
    setTarget(next);
    setResult(null);
    dispatch({ type: "restarted", key: newIdempotencyKey() });
  };

  /** Goes back from what this dialog has just done, at once. */
  const undo = (from: Version, to: Version) => {
    const key = newIdempotencyKey();
    const basis: Basis = { planHash: "", previousId: from.id, nextId: to.id, sourceId: null, decision: "ALLOW", mustConfirm: [] };
    restart({ kind: "rollback", agentId, environment, versionId: to.id });
    dispatch({ type: "restarted", key });
    dispatch({ type: "planned", basis, now: 0, key });
    dispatch({ type: "sent", now: Date.now() });
    void write("rollback", basis, { idempotencyKey: key, ticked: [] });
  };

  // An unsure write is repeated by itself a few times: with its key it can't do anything twice.
  const { tries } = state;
  useEffect(() => {
    if (phase !== "unsure" || tries > 4) return;
    const timer = setTimeout(confirm, 1000 * 2 ** (tries - 1));
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a repetition sends exactly what was sent
  }, [phase, tries]);

  return { target, state, dispatch, subject, agent, serving, source, candidates, plan, planned, isPlannable, result, confirm, restart, undo };
}

async function send(
  kind: Kind,
  basis: Basis,
  { idempotencyKey, ticked }: Pick<DialogState, "idempotencyKey" | "ticked">,
  { agentId, environment, fromEnvironment }: Pick<ActivationTarget, "agentId" | "environment" | "fromEnvironment">,
): Promise<ActivationResultFragment> {
  const { planHash, previousId, nextId, sourceId } = basis;
  const options = { timeout: 30_000 };
  const confirm = ticked.length > 0 ? [...ticked] : undefined;
  switch (kind) {
    case "activate": {
      const input = { agentId, environment, versionId: nextId ?? "", expectedActiveVersionId: previousId, planHash, confirm, idempotencyKey };
      return (await request(ActivateVersionDocument, { input }, options)).answer;
    }
    case "promote": {
      const input = { agentId, fromEnvironment: fromEnvironment ?? "", toEnvironment: environment, expectedFromVersionId: sourceId ?? "", expectedToVersionId: previousId, planHash, confirm, idempotencyKey };
      return (await request(PromoteVersionDocument, { input }, options)).answer;
    }
    case "rollback": {
      const input = { agentId, environment, toVersionId: nextId, expectedActiveVersionId: previousId, idempotencyKey };
      return (await request(RollBackDocument, { input }, options)).answer;
    }
    case "deactivate": {
      const input = { agentId, environment, expectedActiveVersionId: previousId, idempotencyKey };
      return (await request(DeactivateDocument, { input }, options)).answer;
    }
  }
}
