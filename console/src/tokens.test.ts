import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const pairs = [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)];
const themes = {
  light: new Map(pairs.map((pair) => [pair[1], pair[2] ?? ""])),
  dark: new Map(pairs.map((pair) => [pair[1], pair[3] ?? ""])),
};

/** The relative luminance of a colour (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => {
    const part = Number.parseInt(colour.slice(from, from + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const surfaces = ["bg", "sunken", "raised", "hover"];
const texts = ["text", "muted", "accent", "ok", "warn", "bad", "production"];

describe.each(Object.entries(themes))("%s", (_, tokens) => {
  const between = (one: string, other: string) => contrast(tokens.get(one) ?? "", tokens.get(other) ?? "");

  it.each(texts)("%s is readable on every surface and on its own tint", (text) => {
    for (const surface of surfaces) expect(between(text, surface), surface).toBeGreaterThanOrEqual(5);
    if (tokens.has(`${text}-bg`)) expect(between(text, `${text}-bg`)).toBeGreaterThanOrEqual(5);
  });

  it("text is readable on every tint", () => {
    for (const tint of ["accent", "ok", "warn", "bad", "production"]) {
      expect(between("text", `${tint}-bg`), tint).toBeGreaterThanOrEqual(5);
    }
  });

  it("text on filled buttons is readable", () => {
    expect(between("on-accent", "accent")).toBeGreaterThanOrEqual(5);
    expect(between("on-bad", "bad")).toBeGreaterThanOrEqual(5);
  });

  it.each(["added", "added-word", "removed", "removed-word"])("text is readable on %s", (diff) => {
    expect(between("text", diff)).toBeGreaterThanOrEqual(6.8);
  });

  it("borders of controls are visible", () => {
    for (const surface of surfaces) expect(between("control", surface), surface).toBeGreaterThanOrEqual(3.2);
  });
});
