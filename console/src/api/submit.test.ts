import { describe, expect, it } from "vitest";
import { RequestError } from "./errors";
import { sendUntilSure } from "./submit";

const noWait = () => Promise.resolve();

describe("a write", () => {
  it("is repeated while nobody knows whether it was done", async () => {
    let tries = 0;
    let unsure = 0;
    const answer = await sendUntilSure(
      () => {
        tries += 1;
        return tries < 3 ? Promise.reject(new RequestError("timeout", "No answer came in time.", null)) : Promise.resolve("done");
      },
      () => {
        unsure += 1;
      },
      [1, 1, 1],
      noWait,
    );
    expect([answer, tries, unsure]).toEqual(["done", 3, 2]);
  });

  it("isn't repeated after a refusal", async () => {
    let tries = 0;
    const refused = sendUntilSure(
      () => {
        tries += 1;
        return Promise.reject(new RequestError("forbidden", "Not yours.", "r1"));
      },
      () => undefined,
      [1, 1],
      noWait,
    );
    await expect(refused).rejects.toMatchObject({ kind: "forbidden" });
    expect(tries).toBe(1);
  });

  it("ends with the failure when the registry stays away", async () => {
    let tries = 0;
    const gone = sendUntilSure(
      () => {
        tries += 1;
        return Promise.reject(new RequestError("cut-off", "The connection failed.", null));
      },
      () => undefined,
      [1, 1],
      noWait,
    );
    await expect(gone).rejects.toMatchObject({ kind: "cut-off" });
    expect(tries).toBe(3);
  });
});
