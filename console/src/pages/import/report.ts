// The report of an import: a JSON object a line, as the service writes it while it reads the file.

/** What became of a line of the file. */
export interface ReportLine {
  line: number;
  agent: string | null;
  id: string | null;
  result: "created" | "updated" | "unchanged" | "failed";
  versions: number;
  notes: string[];
  error: { code: string; message: string; field: string | null } | null;
}

export interface Summary {
  complete: boolean;
  dry_run: boolean;
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  versions: number;
  error: { message: string } | null;
}

export interface Report {
  lines: ReportLine[];
  /** Null until the end; without it the import broke off. */
  summary: Summary | null;
}

/** Reads a report as it arrives: only whole lines are read, and each of them once. */
export class ReportReader {
  readonly lines: ReportLine[] = [];
  summary: Summary | null = null;
  #read = 0;

  /** `text` is all that has arrived. Returns whether there was something new. */
  read(text: string): boolean {
    const end = text.lastIndexOf("\n");
    if (end < this.#read) return false;
    const fresh = text.slice(this.#read, end).split("\n");
    this.#read = end + 1;
    for (const line of fresh) this.#add(line);
    return true;
  }

  #add(line: string): void {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return;
    }
    if (typeof value !== "object" || value === null) return;
    if ("summary" in value) this.summary = value.summary as Summary;
    else if ("line" in value) this.lines.push(value as ReportLine);
  }
}

/** What a person has chosen for an import. */
export interface ImportOptions {
  environment: string;
  model: string;
  activate: boolean;
  exact: boolean;
  skipBad: boolean;
}

/** The address of an upload. */
export function uploadAddress(customerId: string, { environment, model, activate, exact, skipBad }: ImportOptions, isDry: boolean): string {
  const query = new URLSearchParams({ environment });
  if (model.trim()) query.set("model", model.trim());
  if (activate && !exact) query.set("activate", "true");
  if (exact) query.set("exact", "true");
  if (skipBad) query.set("skip_bad", "true");
  if (isDry) query.set("dry_run", "true");
  return `/console/upload/customers/${encodeURIComponent(customerId)}?${query}`;
}

/** "12 agents created, 3 updated, 1 line failed": what a report comes to. */
export function summaryText({ created, updated, unchanged, failed, versions, dry_run }: Summary): string {
  const n = (number: number, one: string, many: string) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  const parts = [
    created > 0 && `${n(created, "agent", "agents")} ${dry_run ? "would be created" : "created"}`,
    updated > 0 && `${n(updated, "agent", "agents")} ${dry_run ? "would be changed" : "changed"}`,
    unchanged > 0 && `${n(unchanged, "agent is", "agents are")} as the file says already`,
    versions > 0 && `${n(versions, "version", "versions")} ${dry_run ? "would be added" : "added"}`,
    failed > 0 && `${n(failed, "line", "lines")} ${dry_run ? "would fail" : "failed"}`,
  ].filter((part) => part !== false);
  return parts.length > 0 ? new Intl.ListFormat("en").format(parts) : "The file has no line";
}

/** Why the import can't follow the dry run; null if it can. */
export function whyNotImport({ summary, lines }: Report, skipBad: boolean): string | null {
  if (!summary) return "The check broke off";
  if (summary.error) return summary.error.message;
  if (summary.failed > 0 && !skipBad) return `Line ${lines.find(({ result }) => result === "failed")?.line ?? 1} can’t be imported`;
  if (!summary.complete) return "The file wasn’t read to its end";
  if (summary.created + summary.updated === 0) return "Nothing would change";
  return null;
}

/** A file's size: "12 KiB". */
export function sizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size >= 10 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
