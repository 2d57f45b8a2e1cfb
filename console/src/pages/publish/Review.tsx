import { useEffect, useMemo, useState, type ReactNode } from "react";
import type { PublishPlaceQuery, VersionContentInput } from "~/__generated__/graphql";
import { RequestError } from "~/api/errors";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import { withCode, PlanView } from "~/pages/activate/PlanView";
import { size } from "~/pages/version/content";
import { Button } from "~/ui/Button";
import { DiffView } from "~/ui/DiffView";
import { Badge, EnvironmentMark, ImpactBadge } from "~/ui/marks";
import { count } from "~/words";
import { changesBetween, variablesOf } from "./changes";
import { ContentPlanDocument, ContentWarningsDocument } from "./documents";
import styles from "./Publish.module.css";
import { useHunks } from "./useHunks";

type Agent = NonNullable<PublishPlaceQuery["agent"]>;
type Content = Required<VersionContentInput>;

/** Above this many characters lines are compared, and the service is asked, on demand or later. */
export const LARGE = 64 * 1024;
const LIMIT = 512 * 1024;

/** The value once it has rested: 300 ms, and longer for large texts. */
export function useRested<Value>(value: Value, delay: number): Value {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return rested;
}

interface ReviewProps {
  agent: Agent;
  /** What the page started from; null for the first version. */
  base: { number: number; content: Content } | null;
  content: Content;
  /** Why the service can't be asked yet. */
  problem: string | null;
}

/** What the draft changes, warns of, and would do in each environment. */
export function Review({ agent, base, content, problem }: ReviewProps) {
  return (
    <div className={styles["review"]}>
      <Size prompt={content.systemPrompt} />
      <Variables before={base?.content.systemPrompt ?? null} now={content.systemPrompt} />
      <Checked problem={problem} content={content} agent={agent} />
      {base && <Changes base={base} content={content} />}
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles["reviewPart"]}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Size({ prompt }: { prompt: string }) {
  const bytes = new TextEncoder().encode(prompt).length;
  const share = bytes / LIMIT;
  return (
    <section className={styles["size"]} data-over={share > 1 || undefined}>
      <span>
        Prompt: {size(bytes)} <span className="muted">of 512 KiB</span>
      </span>
      <meter aria-label="Size of the prompt" min={0} max={LIMIT} high={LIMIT * 0.9} value={Math.min(bytes, LIMIT)} />
    </section>
  );
}

function Variables({ before, now }: { before: string | null; now: string }) {
  const names = variablesOf(now);
  const old = before === null ? names : variablesOf(before);
  const gone = old.filter((name) => !names.includes(name));
  if (names.length === 0 && gone.length === 0) return null;
  return (
    <Part title="Variables">
      <ul className={styles["variables"]}>
        {names.map((name) => (
          <li key={name}>
            {old.includes(name) ? (
              <code>{name}</code>
            ) : (
              <ins>
                + <code>{name}</code>
                <span className="unseen"> added</span>
              </ins>
            )}
          </li>
        ))}
        {gone.map((name) => (
          <li key={name}>
            <del>
              − <code>{name}</code>
              <span className="unseen"> removed</span>
            </del>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** What the service says about the content once the typing rests. */
function Checked({ problem, content, agent }: { problem: string | null; content: Content; agent: Agent }) {
  const text = JSON.stringify(content);
  // Equal contents are one question, however often they are typed.
  const draft = useMemo(() => ({ text, content, problem }), [text, problem]); // eslint-disable-line react-hooks/exhaustive-deps -- the text is the content
  const asked = useRested(draft, text.length > LARGE ? 1500 : 300);
  const isWhole = asked.problem === null;
  const warnings = useData(ContentWarningsDocument, { content: asked.content }, { enabled: isWhole, keep: true });
  const found = isWhole ? (warnings.data?.versionWarnings ?? []) : [];
  const refused = warnings.error instanceof RequestError && warnings.error.kind === "refused" ? warnings.error.message : null;
  return (
    <>
      {found.length > 0 && (
        <Part title={count(found.length, "warning")}>
          <ul className={styles["warnings"]}>
            {found.map(({ rule, path, line, message }, index) => (
              <li key={`${rule} ${index}`}>
                <Badge tone="warn">{placeWords(path, line)}</Badge> {withCode(message)}
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part title="If it were activated">
        {asked.problem !== null || refused !== null ? (
          <p className={styles["wrong"]}>{withCode(asked.problem ?? refused ?? "")}</p>
        ) : (
          <div className={styles["plans"]}>
            {agent.servings.map((serving) => (
              <Plan key={serving.environment.key} agent={agent} serving={serving} content={asked.content} />
            ))}
          </div>
        )}
      </Part>
    </>
  );
}

function placeWords(path: readonly string[], line: number | null | undefined): string {
  const [first, second, ...rest] = path;
  const part = first === "systemPrompt" ? "Prompt" : first === "modelParameters" ? "Settings" : first === "tools" && second !== undefined ? (/^\d+$/.test(second) ? `Tool ${Number(second) + 1}` : second) : first === "extensions" ? "Extensions" : "Content";
  const place = first === "tools" && rest.length > 0 ? `${part} › ${rest.join(" › ")}` : part;
  return line ? `${place}, line ${line}` : place;
}

function Plan({ agent, serving, content }: { agent: Agent; serving: Agent["servings"][number]; content: Content }) {
  const { environment, activeVersion: active } = serving;
  const query = useData(ContentPlanDocument, { agent: agent.id, environment: environment.key, content }, { topics: [topic.agent(agent.id)], keep: true });
  const plan = query.data?.activationPlan;
  return (
    <details className={styles["planOne"]} aria-busy={query.isFetching || undefined}>
      <summary>
        <EnvironmentMark environment={environment} />
        <span className="muted">{active ? `instead of ${active.number}` : "serves nothing now"}</span>
        <span className={styles["verdict"]}>
          {plan ? (
            <>
              {plan.decision === "REFUSE" && <Badge tone="bad">Refused</Badge>}
              {plan.decision === "CONFIRM" && <Badge tone="warn">Asks first</Badge>}
              <ImpactBadge impact={plan.impact} />
            </>
          ) : query.error ? (
            <span className="muted">{query.error instanceof RequestError && query.error.kind === "refused" ? "Not yet" : "No plan"}</span>
          ) : (
            <span className="muted">…</span>
          )}
        </span>
      </summary>
      {plan ? <PlanView plan={plan} /> : query.error && <p className="muted">{query.error.message}</p>}
    </details>
  );
}

function Changes({ base, content }: { base: NonNullable<ReviewProps["base"]>; content: Content }) {
  const isLarge = base.content.systemPrompt.length + content.systemPrompt.length > LARGE;
  const [isWanted, setWanted] = useState(false);
  const prompt = useRested(content.systemPrompt, 300);
  const hunks = useHunks(base.content.systemPrompt, prompt, !isLarge || isWanted);
  const changes = changesBetween(base.content, content);
  const isSame = prompt === base.content.systemPrompt;
  return (
    <Part title={`Changes from ${base.number}`}>
      {changes.length > 0 && (
        <ul className={styles["changes"]}>
          {changes.map(({ kind, what, before, after }) => (
            <li key={what}>
              <span>
                <span className={styles["what"]}>{what}</span> {kind !== "changed" && <span className="muted">{kind}</span>}
              </span>
              {before !== undefined && before.length < 200 && <del>{before}</del>}
              {after !== undefined && after.length < 200 && <ins>{after}</ins>}
            </li>
          ))}
        </ul>
      )}
      {isSame ? (
        changes.length === 0 && <p className="muted">Nothing yet.</p>
      ) : hunks ? (
        <DiffView hunks={hunks} label={`Prompt, compared with ${base.number}`} />
      ) : isLarge && !isWanted ? (
        <Button small onClick={() => setWanted(true)}>
          Compare the prompts
        </Button>
      ) : (
        <p className="muted">{hunks === null ? "The prompts differ too much to be compared while typing." : "Comparing…"}</p>
      )}
    </Part>
  );
}
