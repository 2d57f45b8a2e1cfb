// What the dialog may do when. The button is alive only for the plan that is shown: each other plan empties the boxes
// and kills the button for a second, so that a click in flight hits nothing.
import type { ChangeImpact, PlanDecision, UserErrorCode } from "~/__generated__/graphql";

/** For how long the button is dead after the plan has changed. */
export const DEAD_MS = 1000;

/** The parts of a plan that identify it, and those that it asks to confirm. */
export interface Basis {
  planHash: string;
  /** The version that serves, which the write expects. */
  previousId: string | null;
  /** With a promotion, the version that must be active where it comes from. */
  sourceId: string | null;
  /** The version that will serve; null for a deactivation. */
  nextId: string | null;
  decision: PlanDecision;
  mustConfirm: readonly ChangeImpact[];
}

/** One error of a payload. */
export interface WriteError {
  code: UserErrorCode;
  message: string;
}

export interface DialogState {
  phase: "planning" | "ready" | "sending" | "unsure" | "done";
  basis: Basis | null;
  /** The plan took the place of another one while the dialog was open. */
  hasMoved: boolean;
  ticked: readonly ChangeImpact[];
  /** The button does nothing before this time. */
  deadUntil: number;
  /** The write's key. A repetition has the same one; another plan has another one. */
  idempotencyKey: string;
  /** How often the write was sent without a known outcome. */
  tries: number;
  error: string | null;
}

export type DialogEvent =
  | { type: "planned"; basis: Basis; now: number; key: string }
  | { type: "ticked"; impact: ChangeImpact; on: boolean }
  | { type: "sent"; now: number }
  | { type: "unsure" }
  | { type: "failed"; message: string }
  | { type: "answered"; errors: readonly WriteError[] }
  | { type: "restarted"; key: string };

export function initial(idempotencyKey: string): DialogState {
  return { phase: "planning", basis: null, hasMoved: false, ticked: [], deadUntil: 0, idempotencyKey, tries: 0, error: null };
}

/** Errors after which the plan is read anew. */
const REPLANNED: readonly UserErrorCode[] = ["CONFLICT", "PLAN_CHANGED", "CONFIRMATION_REQUIRED", "POLICY_REFUSED", "NOT_PROMOTABLE"];

/** Whether two plans do the same to the same. */
export function isSameBasis(one: Basis, other: Basis): boolean {
  return one.planHash === other.planHash && one.previousId === other.previousId && one.nextId === other.nextId && one.sourceId === other.sourceId;
}

/** Whether every box is ticked that the plan asks for. */
export function hasConsent({ basis, ticked }: DialogState): boolean {
  return basis !== null && basis.mustConfirm.every((impact) => ticked.includes(impact));
}

/** Whether the button does something now. */
export function canSend(state: DialogState, now: number): boolean {
  const { phase, basis, deadUntil } = state;
  if (phase === "unsure") return true;
  return phase === "ready" && basis !== null && basis.decision !== "REFUSE" && basis.previousId !== basis.nextId && now >= deadUntil && hasConsent(state);
}

export function reduce(state: DialogState, event: DialogEvent): DialogState {
  switch (event.type) {
    case "planned":
      return planned(state, event);
    case "ticked": {
      const others = state.ticked.filter((one) => one !== event.impact);
      return { ...state, ticked: event.on ? [...others, event.impact] : others };
    }
    case "sent":
      return canSend(state, event.now) ? { ...state, phase: "sending", tries: state.tries + 1, error: null } : state;
    case "unsure":
      return state.phase === "sending" ? { ...state, phase: "unsure" } : state;
    case "failed":
      return { ...state, phase: "ready", error: event.message };
    case "answered": {
      const [error] = event.errors;
      if (!error) return { ...state, phase: "done", error: null };
      if (REPLANNED.includes(error.code)) return { ...state, phase: "planning", ticked: [], error: error.code === "CONFLICT" || error.code === "PLAN_CHANGED" ? null : error.message };
      return { ...state, phase: "ready", error: error.message };
    }
    case "restarted":
      return initial(event.key);
  }
}

/** A plan that arrives while the write is on its way is looked at afterwards: it may be the write's own doing. */
function planned(state: DialogState, { basis, now, key }: Extract<DialogEvent, { type: "planned" }>): DialogState {
  const { phase, basis: last } = state;
  if (phase === "sending" || phase === "unsure" || phase === "done") return state;
  if (last === null) return { ...state, phase: "ready", basis };
  if (isSameBasis(last, basis)) {
    if (phase === "ready") return state;
    return { ...state, phase: "ready", basis, deadUntil: now + DEAD_MS, idempotencyKey: key, tries: 0 };
  }
  return { ...state, phase: "ready", basis, hasMoved: true, ticked: [], deadUntil: now + DEAD_MS, idempotencyKey: key, tries: 0, error: null };
}
