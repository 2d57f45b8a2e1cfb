import { describe, expect, it, vi } from "vitest";
import type { Topic } from "./topics";

vi.stubGlobal("location", { href: "http://localhost/" });
const { backoff, gather } = await import("./live");

describe("the subscription", () => {
  it("waits longer after each break, and never over 30 s", () => {
    expect(backoff(0, 1)).toBe(500);
    expect(backoff(3, 1)).toBe(4000);
    expect(backoff(20, 1)).toBe(30_000);
    expect(backoff(20, 0)).toBe(15_000);
  });

  it("refetches once for a burst of events", () => {
    vi.useFakeTimers();
    const flushed: Topic[][] = [];
    const moved = gather((topics) => flushed.push(topics));
    moved(["agent:a", "agents:c"]);
    moved(["agent:a"]);
    moved(["agent:b"]);
    vi.runAllTimers();
    expect(flushed).toEqual([["agent:a", "agents:c", "agent:b"]]);
    moved(["agent:a"]);
    vi.runAllTimers();
    expect(flushed).toHaveLength(2);
  });
});
