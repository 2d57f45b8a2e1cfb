import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useSyncExternalStore, type ReactNode } from "react";
import type { CompareQuery, CompareVersionsQuery } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import type { Action } from "~/frame/actions";
import { Page } from "~/frame/Page";
import { useCustomer } from "~/frame/scope";
import { byImpact } from "~/pages/activate/impacts";
import { withCode } from "~/pages/activate/PlanView";
import { whyNoVersion } from "~/pages/version/VersionPage";
import { Button } from "~/ui/Button";
import { DiffView } from "~/ui/DiffView";
import { SelectFilter } from "~/ui/Filters";
import { ImpactBadge } from "~/ui/marks";
import { Data, Empty, Gone, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { count } from "~/words";
import { Changes } from "./Changes";
import styles from "./ComparePage.module.css";
import { CompareDocument, CompareVersionsDocument } from "./documents";
import { jump } from "./jump";
import type { CompareSearch } from "./search";

type Agent = NonNullable<CompareVersionsQuery["agent"]>;
type Diff = NonNullable<NonNullable<CompareQuery["agent"]>["diff"]>;

const wide = typeof matchMedia === "undefined" ? null : matchMedia("(min-width: 900px)");

function useWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      wide?.addEventListener("change", listener);
      return () => wide?.removeEventListener("change", listener);
    },
    () => wide?.matches ?? true,
  );
}

export default function ComparePage() {
  const { agent: agentId } = useParams({ from: "/frame/c/$customer/agents/$agent/compare" });
  const search = useSearch({ from: "/frame/c/$customer/agents/$agent/compare" });
  const customer = useCustomer();
  const navigate = useNavigate();
  const subject = useData(CompareVersionsDocument, { agent: agentId }, { topics: [topic.agent(agentId)] });
  const agent = subject.data?.agent ?? null;
  const to = search.to ?? agent?.latestVersion?.number ?? null;
  const from = search.from ?? (to !== null && to > 1 ? to - 1 : null);
  const here = { customer: customer.id, agent: agentId };
  const change = (next: Partial<CompareSearch>) => void navigate({ to: "/c/$customer/agents/$agent/compare", params: here, search: { ...search, from: from ?? undefined, to: to ?? undefined, ...next }, replace: true });
  const name = agent?.name ?? "Agent";
  const why = agent ? whyNoVersion(agent, customer) : null;
  const actions = useMemo<Action[]>(
    () => [
      { label: "Previous change", shortcut: "[", onSelect: () => jump(-1), inMenu: true },
      { label: "Next change", shortcut: "]", onSelect: () => jump(1), inMenu: true },
      ...(to === null ? [] : [{ label: `New version from ${to}`, icon: "add" as const, shortcut: "n", reason: why, onSelect: () => void navigate({ to: "/c/$customer/agents/$agent/publish", params: { customer: customer.id, agent: agentId }, search: { from: to } }) }]),
    ],
    [to, why, customer.id, agentId, navigate],
  );
  return (
    <Page
      title={from !== null && to !== null ? `${from} and ${to} · ${name}` : `Compare · ${name}`}
      heading={from !== null && to !== null ? `Compare ${from} and ${to}` : "Compare"}
      actions={actions}
      crumbs={[
        { label: "Agents", to: { to: "/c/$customer/agents", params: { customer: customer.id } } },
        { label: name, to: { to: "/c/$customer/agents/$agent", params: here } },
        { label: "Compare" },
      ]}
    >
      <Data query={subject} what="the versions">
        {(data) =>
          !data.agent ? (
            <Gone what="agent" />
          ) : from === null || to === null ? (
            <Empty title="There is nothing to compare yet">It takes two versions.</Empty>
          ) : (
            <Comparison agent={data.agent} from={from} to={to} search={search} change={change} />
          )
        }
      </Data>
    </Page>
  );
}

function Comparison({ agent, from, to, search, change }: { agent: Agent; from: number; to: number; search: CompareSearch; change: (next: Partial<CompareSearch>) => void }) {
  const query = useData(CompareDocument, { agent: agent.id, from, to }, { immutable: true });
  const isWide = useWide();
  const layout = isWide ? (search.layout ?? "sides") : "inline";
  return (
    <>
      <div className={styles["controls"]}>
        <Choice label="The older version" value={from} agent={agent} onChange={(next) => change({ from: next })} />
        <Button kind="quiet" icon="compare" iconOnly onClick={() => change({ from: to, to: from })}>
          Swap the versions
        </Button>
        <Choice label="The newer version" value={to} agent={agent} onChange={(next) => change({ to: next })} />
        <span className={styles["spring"]} />
        {isWide && (
          <span className={styles["toggle"]} role="group" aria-label="How prompts stand">
            <Button kind={layout === "sides" ? "plain" : "quiet"} aria-pressed={layout === "sides"} onClick={() => change({ layout: undefined })}>
              Side by side
            </Button>
            <Button kind={layout === "inline" ? "plain" : "quiet"} aria-pressed={layout === "inline"} onClick={() => change({ layout: "inline" })}>
              Inline
            </Button>
          </span>
        )}
        <span className={styles["jump"]}>
          <Button kind="quiet" onClick={() => jump(-1)}>
            <span aria-hidden="true">↑</span> Previous <kbd>[</kbd>
          </Button>
          <Button kind="quiet" onClick={() => jump(1)}>
            <span aria-hidden="true">↓</span> Next change <kbd>]</kbd>
          </Button>
        </span>
      </div>
      <Data query={query} what="the comparison" skeleton={<Skeleton rows={10} />}>
        {({ agent: answer }) => (answer?.diff ? <Differences diff={answer.diff} layout={layout} /> : <Gone what="version" />)}
      </Data>
    </>
  );
}

function Choice({ label, value, agent, onChange }: { label: string; value: number; agent: Agent; onChange: (value: number) => void }) {
  const numbers = agent.versions.nodes;
  const isKnown = numbers.some(({ number }) => number === value);
  const where = (number: number) =>
    agent.servings
      .filter(({ activeVersion }) => activeVersion?.number === number)
      .map(({ environment }) => environment.key)
      .join(", ");
  return (
    <SelectFilter required label={label} value={String(value)} onChange={(next) => next && onChange(Number(next))}>
      {!isKnown && <option value={value}>{value}</option>}
      {numbers.map(({ id, number, message }) => (
        <option key={id} value={number}>
          {[String(number), where(number), message?.slice(0, 60)].filter(Boolean).join(" · ")}
        </option>
      ))}
    </SelectFilter>
  );
}

function Differences({ diff, layout }: { diff: Diff; layout: "inline" | "sides" }) {
  if (diff.isSame) return <Empty title={`${diff.from.number} and ${diff.to.number} hold the same`}>No prompt, model, setting, tool or extension differs.</Empty>;
  return (
    <div className={styles["parts"]}>
      <Summary diff={diff} />
      <Part title="Prompt">
        {diff.hunks.length > 0 ? <DiffView hunks={diff.hunks} layout={layout} label={`Prompt of ${diff.from.number} and ${diff.to.number}`} /> : <p className="muted">The prompt is the same.</p>}
      </Part>
      <Part title="Model, settings, tools and extensions">
        {diff.modelNameChanged && (
          <p className={styles["model"]} data-change="" tabIndex={-1}>
            Model: <del>{diff.from.modelName}</del> <span aria-hidden="true">→</span> <ins>{diff.to.modelName}</ins>
          </p>
        )}
        {diff.toolsReordered && <p>The tools stand in another order.</p>}
        {diff.changes.length > 0 ? <Changes changes={diff.changes.filter(({ path }) => path[0] !== "modelName")} layout={layout} /> : !diff.modelNameChanged && !diff.toolsReordered && <p className="muted">They are the same.</p>}
      </Part>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles["part"]}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What the change may do, worst first: the same words as in a plan. */
function Summary({ diff: { findings, from, to } }: { diff: Diff }) {
  const groups = byImpact(findings);
  return (
    <section className={styles["summary"]} aria-label="What may change">
      <div className={styles["versions"]}>
        {[from, to].map((version) => (
          <p key={version.id}>
            <span className={styles["number"]}>{version.number}</span> {version.message && `“${version.message}” `}
            <span className="muted">
              {version.createdBy.displayName}, <Time at={version.createdAt} />
            </span>
          </p>
        ))}
      </div>
      <ul>
        {groups.map(({ impact, items }) => (
          <li key={impact}>
            <ImpactBadge impact={impact} />
            <span>
              {items.slice(0, 4).map((item, index) => (
                <span key={index} className={styles["finding"]}>
                  {withCode(item.message)}
                </span>
              ))}
              {items.length > 4 && <span className="muted">and {count(items.length - 4, "more")}, below</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
