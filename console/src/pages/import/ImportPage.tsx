import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { refetch } from "~/api/query";
import type { SubmitState } from "~/api/submit";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer, type CustomerScope } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { CheckField, Form, SelectField, TextField } from "~/ui/Form";
import { Icon } from "~/ui/Icon";
import { Badge, type Tone } from "~/ui/marks";
import { Outcome } from "~/ui/Outcome";
import { Command, Refused } from "~/ui/states";
import { Table, type Column } from "~/ui/Table";
import { count } from "~/words";
import styles from "./ImportPage.module.css";
import { sizeText, summaryText, uploadAddress, whyNotImport, type ImportOptions, type ReportLine, type Summary } from "./report";
import { upload, type Progress } from "./upload";

const EXAMPLE = '{"agent": "Storyteller", "versions": [{"system_prompt": "I want you to …"}]}';

export default function ImportPage() {
  const { customer: id } = useParams({ from: "/frame/c/$customer/import" });
  const customer = useCustomer();
  return (
    <Page title="Import agents" crumbs={[{ label: "Agents", to: { to: "/c/$customer/agents", params: { customer: id } } }, { label: "Import" }]}>
      {customer.may("IMPORT_AGENTS") ? <Import customer={customer} /> : <Refused what="imports" ask={customer.why("IMPORT_AGENTS") === null ? undefined : "an admin of this customer, who may import"} />}
    </Page>
  );
}

type Run = { isDry: boolean; isRunning: boolean; progress: Progress; failure: Error | null };

const NOTHING: Progress = { sent: 0, lines: [], summary: null };

function Import({ customer }: { customer: CustomerScope }) {
  const [file, setFile] = useState<File | null>(null);
  const [options, setOptions] = useState<ImportOptions>({ environment: "production", model: "", activate: false, exact: false, skipBad: false });
  const [run, setRun] = useState<Run | null>(null);
  const stop = useRef<(() => void) | null>(null);
  useEffect(() => () => stop.current?.(), []);
  // What was checked is what is imported: another file or option needs another check.
  const change = (next: { file?: File | null; options?: Partial<ImportOptions> }) => {
    stop.current?.();
    if (next.file !== undefined) setFile(next.file);
    if (next.options) setOptions({ ...options, ...next.options });
    setRun(null);
  };
  const start = async (isDry: boolean) => {
    if (!file) return;
    setRun({ isDry, isRunning: true, progress: NOTHING, failure: null });
    const sending = upload(uploadAddress(customer.id, options, isDry), file, (progress) => setRun({ isDry, isRunning: true, progress, failure: null }));
    stop.current = sending.stop;
    try {
      const report = await sending.done;
      setRun({ isDry, isRunning: false, progress: { ...report, sent: 1 }, failure: null });
    } catch (error) {
      setRun((old) => ({ isDry, isRunning: false, progress: old?.progress ?? NOTHING, failure: error instanceof Error ? error : new Error(String(error)) }));
    } finally {
      stop.current = null;
      if (!isDry) refetch([topic.agents(customer.id), topic.activations(customer.id), topic.customer(customer.id)]);
    }
  };
  return (
    <>
      <Step number={1} title="The file">
        <FileField file={file} onChoose={(chosen) => change({ file: chosen })} />
      </Step>
      <Step number={2} title="How it is imported">
        <Options customer={customer} options={options} onChange={(next) => change({ options: next })} />
      </Step>
      <Step number={3} title="Check, then import">
        <Actions file={file} run={run} options={options} start={(isDry) => void start(isDry)} stop={() => stop.current?.()} />
        {run && <Outcome state={stateOf(run)} what="the import was done" />}
        {run && <Progressed run={run} size={file?.size ?? 0} customerId={customer.id} />}
      </Step>
    </>
  );
}

function stateOf({ failure, isRunning }: Run): SubmitState {
  return { isBusy: isRunning, isUnsure: false, errors: [], failure };
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <section className={styles["step"]} aria-label={title}>
      <h2>
        <span className={styles["number"]} aria-hidden="true">
          {number}
        </span>
        {title}
      </h2>
      <div className={styles["content"]}>{children}</div>
    </section>
  );
}

function FileField({ file, onChoose }: { file: File | null; onChoose: (file: File | null) => void }) {
  const [isOver, setOver] = useState(false);
  const id = useId();
  return (
    <>
      <div
        className={styles["drop"]}
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const dropped = event.dataTransfer.files[0];
          if (dropped) onChoose(dropped);
        }}
      >
        <Icon name="file" />
        <label htmlFor={id}>{file ? <><b>{file.name}</b> <span className="muted">{sizeText(file.size)}</span></> : "Choose a file of JSON Lines, or drop it here"}</label>
        <input id={id} type="file" accept=".jsonl,.ndjson,.json,application/x-ndjson" onChange={({ target }) => onChoose(target.files?.[0] ?? null)} />
      </div>
      <details className={styles["format"]}>
        <summary>What such a file looks like</summary>
        <p>One agent a line, as an export writes it, with all its versions. At least:</p>
        <Command text={EXAMPLE} />
        <p>Prompts of Langfuse and MLflow are converted by the command line:</p>
        <Command text="agent-registry import prompts.json --format langfuse --customer …" />
      </details>
    </>
  );
}

function Options({ customer, options, onChange }: { customer: CustomerScope; options: ImportOptions; onChange: (options: Partial<ImportOptions>) => void }) {
  return (
    <Form label="How it is imported" onSubmit={() => undefined} className={styles["options"]}>
      <SelectField name="environment" label="Environment" hint="What a line says is active becomes active here." value={options.environment} onChange={({ target }) => onChange({ environment: target.value })}>
        {[...customer.environments]
          .sort((one, other) => Number(other.isDefault) - Number(one.isDefault) || one.rank - other.rank)
          .map(({ key }) => (
            <option key={key}>{key}</option>
          ))}
      </SelectField>
      <TextField name="model" label="Model of versions that name none" placeholder="gpt-4-turbo" value={options.model} onChange={({ target }) => onChange({ model: target.value })} className="mono" />
      <CheckField name="activate" label={`Activate the last version of each new agent in ${options.environment}`} hint={options.exact ? "Not with an exact import, which takes the file at its word." : "But for those whose line says what is active."} checked={options.activate && !options.exact} disabled={options.exact} onChange={({ target }) => onChange({ activate: target.checked })} />
      <CheckField name="skipBad" label="Skip lines that can’t be imported" hint="Without it, the first such line ends the import; the lines before it stay." checked={options.skipBad} onChange={({ target }) => onChange({ skipBad: target.checked })} />
      <CheckField name="exact" label="Make each agent exactly as its line" hint="What the line leaves out is removed." checked={options.exact} onChange={({ target }) => onChange({ exact: target.checked })} />
    </Form>
  );
}

function Actions({ file, run, options, start, stop }: { file: File | null; run: Run | null; options: ImportOptions; start: (isDry: boolean) => void; stop: () => void }) {
  const isRunning = run?.isRunning ?? false;
  const checked = run?.isDry && !run.isRunning && !run.failure ? run.progress : null;
  const why = !file ? "Choose a file first" : isRunning ? "It is running" : !checked ? "Check the file first" : whyNotImport(checked, options.skipBad);
  const number = checked?.summary ? checked.summary.created + checked.summary.updated : 0;
  const isDone = run !== null && !run.isDry && !run.isRunning && run.progress.summary?.complete;
  return (
    <>
      <p className={styles["explained"]}>The check reads the whole file and stores nothing. Importing the same file again changes nothing, so one that broke off is simply imported again.</p>
      <div className={styles["buttons"]}>
        <Button kind={checked && !why ? "plain" : "filled"} reason={!file && "Choose a file first"} busy={isRunning && run?.isDry} onClick={() => start(true)}>
          {checked || isDone ? "Check the file again" : "Check the file"}
        </Button>
        <Button kind={checked && !why ? (options.environment === "production" ? "production" : "filled") : "plain"} reason={why} busy={isRunning && !run?.isDry} onClick={() => start(false)}>
          {number > 0 ? `Import ${count(number, "agent")}` : "Import the agents"}
        </Button>
        {isRunning && (
          <Button kind="quiet" onClick={stop}>
            {run?.isDry ? "Stop the check" : "Stop the import"}
          </Button>
        )}
      </div>
    </>
  );
}

function Progressed({ run, size, customerId }: { run: Run; size: number; customerId: string }) {
  const { isDry, isRunning, progress, failure } = run;
  const { lines, summary, sent } = progress;
  const broke = !isRunning && !failure && !summary;
  return (
    <div className={styles["progress"]}>
      {isRunning && (
        <div>
          <progress value={sent} max={1} aria-label={isDry ? "Checking the file" : "Importing the file"} />
          <p className="muted">
            {sizeText(sent * size)} of {sizeText(size)} sent, {count(lines.length, "line")} {isDry ? "checked" : "imported"}
          </p>
        </div>
      )}
      {summary && <SummaryBand summary={summary} customerId={customerId} />}
      {broke && (
        <p className={styles["band"]} data-tone="warn" role="status">
          <Icon name="warn" /> It ended before the file did. {isDry ? "Nothing is stored." : "The lines below are stored; importing the file again adds the rest."}
        </p>
      )}
      {lines.length > 0 && <Lines lines={lines} isDry={summary?.dry_run ?? isDry} customerId={customerId} />}
    </div>
  );
}

function SummaryBand({ summary, customerId }: { summary: Summary; customerId: string }) {
  const { failed, error, complete, dry_run } = summary;
  const tone = error || (!complete && failed > 0) ? "bad" : failed > 0 ? "warn" : "ok";
  return (
    <p className={styles["band"]} data-tone={tone} role="status">
      <Icon name={tone === "ok" ? "check" : "warn"} />
      <span>
        {summaryText(summary)}. {error?.message} {!complete && !error && "The file wasn’t read further."}{" "}
        {!dry_run && summary.created + summary.updated > 0 && (
          <Link to="/c/$customer/agents" params={{ customer: customerId }}>
            To the agents
          </Link>
        )}
      </span>
    </p>
  );
}

const TONES: Record<ReportLine["result"], Tone> = { created: "ok", updated: "accent", unchanged: "plain", failed: "bad" };

function resultWord(result: ReportLine["result"], isDry: boolean): string {
  const words = { created: "Created", updated: "Changed", unchanged: "As it is", failed: "Failed" };
  const would = { created: "Would be created", updated: "Would be changed", unchanged: "As it is", failed: "Would fail" };
  return (isDry ? would : words)[result];
}

/** Failed lines first: they are what has to be put right. */
function Lines({ lines, isDry, customerId }: { lines: readonly ReportLine[]; isDry: boolean; customerId: string }) {
  const sorted = [...lines].sort((one, other) => Number(other.result === "failed") - Number(one.result === "failed") || one.line - other.line);
  const columns: Column<ReportLine>[] = [
    { key: "line", label: "Line", right: true, cell: ({ line }) => line },
    {
      key: "agent",
      label: "Agent",
      always: true,
      cell: ({ agent, id, result }) =>
        id && !isDry && result !== "failed" ? (
          <Link to="/c/$customer/agents/$agent" params={{ customer: customerId, agent: id }}>
            {agent}
          </Link>
        ) : (
          (agent ?? <span className="muted">can’t be read</span>)
        ),
    },
    { key: "result", label: "Result", always: true, cell: ({ result }) => <Badge tone={TONES[result] ?? "plain"}>{resultWord(result, isDry)}</Badge> },
    { key: "versions", label: "Versions added", right: true, cell: ({ versions }) => versions },
    { key: "notes", label: "Notes", clip: true, cell: (line) => <Notes line={line} /> },
  ];
  return (
    <>
      <Table label="Report" columns={columns} rows={sorted} keyOf={({ line }) => String(line)} />
      {lines.some(({ error, notes }) => error !== null || notes.length > 0) && (
        <ul className={styles["notes"]}>
          {sorted
            .filter(({ error, notes }) => error !== null || notes.length > 0)
            .slice(0, 20)
            .map((line) => (
              <li key={line.line}>
                Line {line.line}: <Notes line={line} />
              </li>
            ))}
        </ul>
      )}
    </>
  );
}

function Notes({ line: { error, notes } }: { line: ReportLine }) {
  const text = [error?.message, ...notes].filter(Boolean).join("; ");
  return <span title={text}>{text}</span>;
}
