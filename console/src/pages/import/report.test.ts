import { describe, expect, it } from "vitest";
import { ReportReader, sizeText, summaryText, uploadAddress, whyNotImport, type ImportOptions, type Summary } from "./report";

const options: ImportOptions = { environment: "production", model: "", activate: false, exact: false, skipBad: false };
const summary: Summary = { complete: true, dry_run: true, created: 2, updated: 1, unchanged: 0, failed: 0, versions: 7, error: null };

describe("a report", () => {
  it("is read line by line while it arrives", () => {
    const reader = new ReportReader();
    const first = '{"line":1,"agent":"A","id":"x","result":"created","versions":2,"notes":[],"error":null}\n';
    const second = '{"line":2,"agent":null,"id":null,"result":"failed","versions":0,"notes":[],"error":{"code":"INVALID","message":"no JSON","field":null}}\n';
    expect(reader.read(first.slice(0, 20))).toBe(false);
    expect(reader.lines).toHaveLength(0);
    expect(reader.read(first + second.slice(0, 9))).toBe(true);
    expect(reader.lines.map(({ agent }) => agent)).toEqual(["A"]);
    reader.read(`${first + second}{"summary":${JSON.stringify(summary)}}\n`);
    expect(reader.lines.map(({ line }) => line)).toEqual([1, 2]);
    expect(reader.summary).toEqual(summary);
    expect(reader.read(`${first + second}{"summary":${JSON.stringify(summary)}}\n`)).toBe(false);
    expect(reader.lines).toHaveLength(2);
  });

  it("is a sentence at the end", () => {
    expect(summaryText(summary)).toBe("2 agents would be created, 1 agent would be changed, and 7 versions would be added");
    expect(summaryText({ ...summary, dry_run: false, created: 0, updated: 0, unchanged: 1, versions: 0 })).toBe("1 agent is as the file says already");
    expect(summaryText({ ...summary, created: 0, updated: 0, versions: 0 })).toBe("The file has no line");
  });
});

describe("the import after the check", () => {
  const lines = [{ line: 4, agent: null, id: null, result: "failed" as const, versions: 0, notes: [], error: null }];
  it("waits for a file that can be imported", () => {
    expect(whyNotImport({ lines: [], summary }, false)).toBeNull();
    expect(whyNotImport({ lines: [], summary: null }, false)).toMatch(/broke off/);
    expect(whyNotImport({ lines, summary: { ...summary, failed: 1, complete: false } }, false)).toBe("Line 4 can’t be imported");
    expect(whyNotImport({ lines, summary: { ...summary, failed: 1 } }, true)).toBeNull();
    expect(whyNotImport({ lines: [], summary: { ...summary, created: 0, updated: 0 } }, false)).toBe("Nothing would change");
    expect(whyNotImport({ lines: [], summary: { ...summary, error: { message: "The plan has room for 50 agents." } } }, false)).toMatch(/room/);
  });
});

describe("the address of an upload", () => {
  it("says what was chosen alone", () => {
    expect(uploadAddress("c1", options, true)).toBe("/console/upload/customers/c1?environment=production&dry_run=true");
    const query = new URL(uploadAddress("c1", { environment: "staging", model: " gpt 4 ", activate: true, exact: false, skipBad: true }, false), "http://localhost").searchParams;
    expect(Object.fromEntries(query)).toEqual({ environment: "staging", model: "gpt 4", activate: "true", skip_bad: "true" });
  });

  it("never activates with an exact import", () => {
    const query = new URL(uploadAddress("c1", { ...options, activate: true, exact: true }, false), "http://localhost").searchParams;
    expect([query.get("exact"), query.get("activate")]).toEqual(["true", null]);
  });
});

it("a size is in its largest unit", () => {
  expect([sizeText(512), sizeText(1536), sizeText(20 * 1024), sizeText(3 * 1024 ** 3)]).toEqual(["512 bytes", "1.5 KiB", "20 KiB", "3.0 GiB"]);
});
