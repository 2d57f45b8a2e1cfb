import { describe, expect, it } from "vitest";
import { topicsOf } from "./topics";

describe("an event moves exactly what shows it", () => {
  const at = { customerId: "c", agentId: "a" };

  it("an activation moves its agent, the list and the activations", () => {
    expect(topicsOf({ ...at, action: "AGENT_ACTIVATED" })).toEqual(["agent:a", "agents:c", "activations:c"]);
  });

  it("a published version moves its agent and the list", () => {
    expect(topicsOf({ ...at, action: "VERSION_PUBLISHED" })).toEqual(["agent:a", "agents:c"]);
  });

  it("a rule of an environment moves no single agent", () => {
    expect(topicsOf({ ...at, agentId: null, action: "ENVIRONMENT_UPDATED" })).toEqual(["environments:c", "agents:c"]);
  });

  it("a suspension moves the customer and the list of customers", () => {
    expect(topicsOf({ ...at, agentId: null, action: "CUSTOMER_BILLING_SET" })).toEqual(["customer:c", "customers"]);
  });
});
