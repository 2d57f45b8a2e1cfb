import { Link, useBlocker, useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { PublishPlaceQuery, VersionContentFragment } from "~/__generated__/graphql";
import { openActivation } from "~/activation";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { useCustomer } from "~/frame/scope";
import { whyNotActivate } from "~/pages/agent/Cards";
import { contentOf } from "~/pages/version/content";
import { whyNoVersion } from "~/pages/version/VersionPage";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Editor } from "~/ui/editor";
import { CustomField, Form, TextField, type FieldError } from "~/ui/Form";
import { Icon } from "~/ui/Icon";
import { Menu, MenuItem } from "~/ui/Menu";
import { Outcome } from "~/ui/Outcome";
import { Tabs } from "~/ui/Tabs";
import { toast } from "~/ui/toasts";
import { PublishVersionDocument } from "./documents";
import { draftOf, fieldOf, inputOf, jsonErrors, ordered, type Draft } from "./draft";
import styles from "./Publish.module.css";
import { Review } from "./Review";
import { Settings } from "./Settings";
import { ToolsEditor } from "./ToolsEditor";

type Agent = NonNullable<PublishPlaceQuery["agent"]>;

const wide = typeof matchMedia === "undefined" ? null : matchMedia("(min-width: 1200px)");

function subscribe(listener: () => void): () => void {
  wide?.addEventListener("change", listener);
  return () => wide?.removeEventListener("change", listener);
}

/** What is published: the content of the version that the page started from, in the order of this page. */
function baseOf(version: VersionContentFragment | null) {
  if (!version) return null;
  const content = contentOf(version);
  return { number: version.number, content: { ...content, tools: content.tools?.map(ordered) ?? [] } };
}

interface PublishFormProps {
  agent: Agent;
  base: VersionContentFragment | null;
  /** The newest version's number when the page began; 0 for none. */
  latest: number;
  startFrom: (number: number) => void;
}

export function PublishForm({ agent, base: version, latest, startFrom }: PublishFormProps) {
  const customer = useCustomer();
  const navigate = useNavigate();
  const [start] = useState(() => draftOf(version));
  const [draft, setDraft] = useState<Draft>(start);
  const [message, setMessage] = useState("");
  const [expected, setExpected] = useState(latest);
  const [own, setOwn] = useState<readonly FieldError[]>([]);
  const base = useMemo(() => baseOf(version), [version]);
  const { content, problems } = useMemo(() => inputOf(draft), [draft]);
  const isSame = base !== null && problems.length === 0 && JSON.stringify(content) === JSON.stringify(base.content);
  const isTouched = draft !== start && !(isSame && message === "");
  const isDone = useRef(false);
  const write = useSubmit(PublishVersionDocument, (data) => data.publishVersion, [topic.agent(agent.id), topic.agents(customer.id), topic.customer(customer.id)]);
  const newest = agent.latestVersion?.number ?? 0;
  const next = newest + 1;
  const isOvertaken = newest > expected;
  const isWide = useSyncExternalStore(subscribe, () => wide?.matches ?? false);
  const [view, setView] = useState("write");
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));

  const publish = async (environment: string | null) => {
    if (problems.length > 0) {
      setOwn([...problems]);
      setView("write");
      return;
    }
    setOwn([]);
    const done = await write.submit({ agentId: agent.id, ...content, message: message.trim() || null, expectedLatestNumber: expected, ifChanged: true });
    if (!done?.version) {
      setView("write");
      return;
    }
    isDone.current = true;
    toast(done.isNew ? `Published version ${done.version.number}.` : `Nothing was published: the content is the same as ${done.version.number}.`);
    await navigate({ to: "/c/$customer/agents/$agent", params: { customer: customer.id, agent: agent.id }, search: { version: done.version.number } });
    if (environment) openActivation({ kind: "activate", agentId: agent.id, environment, versionId: done.version.id });
  };

  const isConflict = write.errors.some(({ code }) => code === "CONFLICT");
  const errors = useMemo(() => (own.length > 0 ? own : write.errors.filter(({ code }) => code !== "CONFLICT").map(fieldOf)), [own, write.errors]);
  const whyNot = whyNoVersion(agent, customer) ?? (isSame ? `Same as ${base.number}` : isOvertaken ? "Decide first what to do with the version that was published meanwhile" : null);
  const form = (
    <div className={styles["form"]}>
      <Sections draft={draft} message={message} change={change} setMessage={setMessage} />
    </div>
  );
  const review = <Review agent={agent} base={base} content={content} problem={problems[0]?.message ?? null} />;
  return (
    <Form label={`Version ${next} of ${agent.name}`} errors={errors} onSubmit={() => undefined} className={styles["page"]}>
      {(isOvertaken || isConflict) && <Overtaken agent={agent} from={expected} startFrom={startFrom} goOn={() => setExpected(newest)} />}
      {isWide ? (
        <div className={styles["columns"]}>
          {form}
          <aside className={styles["aside"]} aria-label="Changes, warnings and plans" tabIndex={0}>
            {review}
          </aside>
        </div>
      ) : (
        <>
          <Tabs
            label="New version"
            value={view}
            onChange={setView}
            tabs={[
              { key: "write", label: "Write", content: form },
              { key: "review", label: "Changes and plans", content: review },
            ]}
          />
        </>
      )}
      <div className={styles["bar"]}>
        <div className={styles["barWords"]}>
          <Outcome state={write} what={`version ${next} was published`} inForm />
        </div>
        <PublishAnd agent={agent} reason={whyNot} isBusy={write.isBusy} publish={(environment) => void publish(environment)} />
        <Button kind="filled" reason={whyNot} busy={write.isBusy} onClick={() => void publish(null)}>
          Publish version {next}
        </Button>
      </div>
      <Leaving isTouched={isTouched} isDone={isDone} number={next} />
    </Form>
  );
}

const SECTIONS = [
  ["prompt", "Prompt"],
  ["settings", "Model and settings"],
  ["tools", "Tools"],
  ["extensions", "Extensions"],
] as const;

interface SectionsProps {
  draft: Draft;
  message: string;
  change: (part: Partial<Draft>) => void;
  setMessage: (message: string) => void;
}

/** One scroll, with anchors on top. */
function Sections({ draft, message, change, setMessage }: SectionsProps) {
  const jump = (key: string) => {
    const section = document.getElementById(`publish-${key}`);
    section?.scrollIntoView({ block: "start" });
    section?.focus({ preventScroll: true });
  };
  return (
    <>
      <nav className={styles["anchors"]} aria-label="Parts of the version">
        {SECTIONS.map(([key, label]) => (
          <button key={key} type="button" onClick={() => jump(key)}>
            {label}
          </button>
        ))}
      </nav>
      <TextField name="message" label="Message" hint="Why this version: it stands in the list of versions. Optional." value={message} maxLength={2000} onChange={({ target }) => setMessage(target.value)} />
      <section id="publish-prompt" tabIndex={-1} className={styles["section"]}>
        <CustomField name="systemPrompt" label="Prompt">
          {({ id, describedBy }) => <Editor id={id} describedBy={describedBy} language="prompt" lines={16} label="System prompt" value={draft.systemPrompt} onChange={(systemPrompt) => change({ systemPrompt })} />}
        </CustomField>
      </section>
      <section id="publish-settings" tabIndex={-1} className={styles["section"]}>
        <h2>Model and settings</h2>
        <TextField name="modelName" label="Model" hint="As the provider calls it." spellCheck={false} className={styles["mono"]} value={draft.modelName} onChange={({ target }) => change({ modelName: target.value })} />
        <Settings parameters={draft.parameters} onChange={(parameters) => change({ parameters })} />
      </section>
      <section id="publish-tools" tabIndex={-1} className={styles["section"]}>
        <ToolsEditor tools={draft.tools} onChange={(tools) => change({ tools })} />
      </section>
      <section id="publish-extensions" tabIndex={-1} className={styles["section"]}>
        <CustomField name="extensions" label="Extensions" hint="A JSON object for your gateways: MCP servers, skills, handoffs. Keys are URIs or reverse domains, such as org.example.handoff.">
          {({ id, describedBy }) => <Editor id={id} describedBy={describedBy} language="json" lines={4} label="Extensions as JSON" value={draft.extensions} errors={jsonErrors(draft.extensions)} onChange={(extensions) => change({ extensions })} />}
        </CustomField>
      </section>
    </>
  );
}

/** One environment: a button. Several: a menu of them. */
function PublishAnd({ agent, reason, isBusy, publish }: { agent: Agent; reason: string | null; isBusy: boolean; publish: (environment: string) => void }) {
  const customer = useCustomer();
  const [only] = agent.servings;
  if (agent.servings.length === 1 && only) {
    return (
      <Button reason={reason ?? whyNotActivate(agent, only, customer)} busy={isBusy} onClick={() => publish(only.environment.key)}>
        Publish and activate…
      </Button>
    );
  }
  if (reason) return <Button reason={reason}>Publish and activate…</Button>;
  return (
    <Menu trigger={<Button busy={isBusy}>Publish and activate…</Button>} side="top">
      {agent.servings.map((serving) => (
        <MenuItem key={serving.environment.key} reason={whyNotActivate(agent, serving, customer)} onSelect={() => publish(serving.environment.key)}>
          Publish, and serve it in {serving.environment.key}…
        </MenuItem>
      ))}
    </Menu>
  );
}

/** "Ada published 16. Compare · Start from 16 · Go on as 17". */
function Overtaken({ agent, from, startFrom, goOn }: { agent: Agent; from: number; startFrom: (number: number) => void; goOn: () => void }) {
  const customer = useCustomer();
  const { latestVersion: latest } = agent;
  if (!latest) return null;
  return (
    <div className={styles["overtaken"]} role="status">
      <Icon name="warn" />
      <span>
        {latest.createdBy.displayName} published {latest.number} meanwhile. What you typed is still here.
      </span>
      <span className={styles["buttons"]}>
        {from > 0 && (
          <Link to="/c/$customer/agents/$agent/compare" params={{ customer: customer.id, agent: agent.id }} search={{ from, to: latest.number }} target="_blank">
            Compare {from} and {latest.number}
          </Link>
        )}
        <Button small onClick={() => startFrom(latest.number)}>
          Start from {latest.number}
        </Button>
        <Button small onClick={goOn}>
          Go on as {latest.number + 1}
        </Button>
      </span>
    </div>
  );
}

/** Leaving asks while something was typed that isn't published. */
function Leaving({ isTouched, isDone, number }: { isTouched: boolean; isDone: { current: boolean }; number: number }) {
  const blocker = useBlocker({
    shouldBlockFn: () => isTouched && !isDone.current,
    enableBeforeUnload: () => isTouched && !isDone.current,
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  return (
    <Dialog
      narrow
      title={`Leave version ${number} unpublished?`}
      onClose={blocker.reset}
      foot={
        <>
          <Button onClick={blocker.reset}>Stay here</Button>
          <Button kind="danger" onClick={blocker.proceed}>
            Discard what I typed
          </Button>
        </>
      }
    >
      <p>What you typed isn’t stored anywhere. It is gone when you leave this page.</p>
    </Dialog>
  );
}
