import { describe, expect, it } from "vitest";
import { lanesOf, placeOf, type Step } from "./lanes";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const step = (minute: number, key: string, number: number | null): Step => ({ activatedAt: at(minute), environment: { key }, version: number === null ? null : { number } });
const now = Date.parse(at(10));

describe("lanes", () => {
  const steps = [step(8, "production", 2), step(6, "production", null), step(4, "staging", 2), step(0, "production", 1)];
  const { since, lanes } = lanesOf(["production", "staging", "test"], steps, now);

  it("have a stretch for each time in which something served", () => {
    expect(since).toBe(Date.parse(at(0)));
    const minutes = lanes.map(({ stretches }) => stretches.map(({ number, from, until }) => [number, (from - since) / 60_000, (until - since) / 60_000]));
    expect(minutes).toEqual([[[1, 0, 6], [2, 8, 10]], [[2, 4, 10]], []]);
  });

  it("have places in percent, and never nothing", () => {
    const stretch = lanes[1]?.stretches[0];
    expect(stretch && placeOf(stretch, since, now)).toEqual({ left: 40, width: 60 });
    expect(placeOf({ number: 1, from: since, until: since }, since, now).width).toBeGreaterThan(0);
  });

  it("are empty before anything served", () => {
    expect(lanesOf(["production"], [], now)).toEqual({ since: now, lanes: [{ key: "production", stretches: [] }] });
  });
});
