import { describe, expect, it } from "vitest";
import { changesOf, emptyFields, fieldsOf, inOrder, modelsOf, previewOf, sentencesOf, soakSeconds, timeText, type Environment } from "./rules";

const staging: Environment = {
  id: "2",
  key: "staging",
  name: "Staging",
  rank: 2,
  isDefault: false,
  minSoakSeconds: 0,
  onBreaking: "CONFIRM",
  allowedModels: null,
  activateRole: "EDITOR",
  createdAt: "2026-01-01T00:00:00Z",
  archivedAt: null,
  promoteFrom: null,
};
const production: Environment = {
  ...staging,
  id: "1",
  key: "production",
  name: "Production",
  rank: 3,
  isDefault: true,
  minSoakSeconds: 3600,
  onBreaking: "REFUSE",
  allowedModels: ["gpt-4-turbo", "mistral-large"],
  activateRole: "ADMIN",
  promoteFrom: { id: "2", key: "staging", isDefault: false },
};

describe("rules", () => {
  it("are sentences", () => {
    expect(sentencesOf(production)).toEqual([
      "production takes only what ran 1 hour in staging.",
      "A breaking change is refused.",
      "Only gpt-4-turbo or mistral-large may be used.",
      "Only admins may activate, roll back and stop.",
    ]);
    expect(sentencesOf(staging)).toEqual([
      "staging takes any version.",
      "A breaking change asks for a confirmation.",
      "Every model may be used.",
      "Editors and admins may activate, roll back and stop.",
    ]);
    expect(sentencesOf({ ...production, minSoakSeconds: 0 })[0]).toBe("production takes only what has run in staging.");
  });

  it("name times whole", () => {
    expect(timeText(129_600)).toBe("1 day and 12 hours");
    expect(timeText(61)).toBe("1 minute and 1 second");
    expect(timeText(0)).toBe("no time");
  });

  it("stand with production first, archived ones apart", () => {
    const demo = { ...staging, id: "3", key: "demo", rank: 1, archivedAt: "2026-02-01T00:00:00Z" };
    const { present, archived } = inOrder([staging, demo, production]);
    expect(present.map(({ key }) => key)).toEqual(["production", "staging"]);
    expect(archived.map(({ key }) => key)).toEqual(["demo"]);
  });
});

describe("the form of rules", () => {
  it("says nothing about what stays", () => {
    expect(changesOf(production, fieldsOf(production))).toEqual({});
    expect(changesOf(staging, fieldsOf(staging))).toEqual({});
  });

  it("removes by null, and names what changed alone", () => {
    const fields = { ...fieldsOf(production), promoteFrom: "", models: " \n", name: "Live " };
    expect(changesOf(production, fields)).toEqual({ name: "Live", promoteFrom: null, minSoakSeconds: 0, allowedModels: null });
  });

  it("keeps a time in its largest unit", () => {
    expect(fieldsOf(production)).toMatchObject({ soak: "1", soakUnit: "3600" });
    expect(fieldsOf({ ...production, minSoakSeconds: 172_800 })).toMatchObject({ soak: "2", soakUnit: "86400" });
    expect(fieldsOf({ ...production, minSoakSeconds: 90 })).toMatchObject({ soak: "1.5", soakUnit: "60" });
  });

  it("reads what was typed", () => {
    expect(modelsOf("a, b\n b\n")).toEqual(["a", "b"]);
    expect(modelsOf(" , ")).toBeNull();
    const fields = { ...emptyFields(), promoteFrom: "staging", soak: "1,5" };
    expect(soakSeconds(fields)).toBe(5400);
    expect(soakSeconds({ ...fields, soak: "soon" })).toBeNull();
    expect(soakSeconds({ ...fields, promoteFrom: "" })).toBe(0);
    expect(sentencesOf(previewOf(emptyFields()))[0]).toBe("It takes any version.");
  });
});
