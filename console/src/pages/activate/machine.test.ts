import { describe, expect, it } from "vitest";
import { canSend, DEAD_MS, initial, reduce, type Basis, type DialogEvent, type DialogState } from "./machine";

const basis: Basis = { planHash: "h1", previousId: "v13", sourceId: null, nextId: "v15", decision: "CONFIRM", mustConfirm: ["NARROWED"] };
const free: Basis = { ...basis, decision: "ALLOW", mustConfirm: [] };

function run(state: DialogState, ...events: DialogEvent[]): DialogState {
  return events.reduce(reduce, state);
}

const open = (of: Basis = free) => run(initial("k1"), { type: "planned", basis: of, now: 0, key: "unused" });
const tick: DialogEvent = { type: "ticked", impact: "NARROWED", on: true };

describe("the dangerous click", () => {
  it("waits for the plan", () => {
    expect(canSend(initial("k1"), 0)).toBe(false);
    expect(canSend(open(), 0)).toBe(true);
  });

  it("needs each box", () => {
    expect(canSend(open(basis), 0)).toBe(false);
    expect(canSend(run(open(basis), tick), 0)).toBe(true);
    expect(canSend(run(open(basis), tick, { ...tick, on: false }), 0)).toBe(false);
  });

  it("never goes through what the rules refuse, or what serves already", () => {
    expect(canSend(open({ ...free, decision: "REFUSE" }), 0)).toBe(false);
    expect(canSend(open({ ...free, nextId: "v13" }), 0)).toBe(false);
  });

  it("hits nothing for a second after the plan has changed, with empty boxes and another key", () => {
    const moved = run(open(basis), tick, { type: "planned", basis: { ...basis, planHash: "h2", previousId: "v14" }, now: 5000, key: "k2" });
    expect(moved).toMatchObject({ phase: "ready", hasMoved: true, ticked: [], idempotencyKey: "k2" });
    const ticked = run(moved, tick);
    expect(canSend(ticked, 5000 + DEAD_MS - 1)).toBe(false);
    expect(run(ticked, { type: "sent", now: 5000 + DEAD_MS - 1 })).toBe(ticked);
    expect(canSend(ticked, 5000 + DEAD_MS)).toBe(true);
  });

  it("stays as it is for the same plan", () => {
    const state = run(open(basis), tick);
    expect(run(state, { type: "planned", basis, now: 9, key: "k2" })).toBe(state);
  });

  it("takes the event of its own write for no conflict", () => {
    const sent = run(open(), { type: "sent", now: 0 });
    const heard = run(sent, { type: "planned", basis: { ...free, previousId: "v15", planHash: "h2" }, now: 1, key: "k2" });
    expect(heard).toBe(sent);
    expect(run(heard, { type: "answered", errors: [] }).phase).toBe("done");
  });

  it("reads the plan anew after a conflict, and sends nothing by itself", () => {
    const refused = run(open(basis), tick, { type: "sent", now: 0 }, { type: "answered", errors: [{ code: "CONFLICT", message: "" }] });
    expect(refused).toMatchObject({ phase: "planning", ticked: [] });
    expect(canSend(refused, 0)).toBe(false);
    const again = run(refused, { type: "planned", basis: { ...basis, previousId: "v14" }, now: 10, key: "k2" });
    expect(again).toMatchObject({ phase: "ready", hasMoved: true, idempotencyKey: "k2" });
  });

  it("repeats an unsure write with the same key", () => {
    const unsure = run(open(), { type: "sent", now: 0 }, { type: "unsure" });
    expect(canSend(unsure, 0)).toBe(true);
    const again = run(unsure, { type: "sent", now: 1 });
    expect(again).toMatchObject({ phase: "sending", idempotencyKey: "k1", tries: 2 });
    expect(run(again, { type: "answered", errors: [] }).phase).toBe("done");
  });

  it("shows other refusals and stays", () => {
    const state = run(open(), { type: "sent", now: 0 }, { type: "answered", errors: [{ code: "ARCHIVED", message: "It is archived." }] });
    expect(state).toMatchObject({ phase: "ready", error: "It is archived." });
  });
});
