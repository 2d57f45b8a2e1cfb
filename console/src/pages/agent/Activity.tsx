import { Link } from "@tanstack/react-router";
import { Fragment, useMemo } from "react";
import type { AgentActivityQuery } from "~/__generated__/graphql";
import { usePages } from "~/api/pages";
import { topic } from "~/api/topics";
import { useCustomer } from "~/frame/scope";
import { day } from "~/time";
import { Button } from "~/ui/Button";
import { EnvironmentMark } from "~/ui/marks";
import { Empty, Fault, Skeleton } from "~/ui/states";
import { Time, useNow } from "~/ui/Time";
import { duration } from "~/time";
import { reasonVerb } from "~/words";
import styles from "./AgentPage.module.css";
import type { Agent } from "./Cards";
import { AgentActivityDocument } from "./documents";
import { lanesOf, placeOf } from "./lanes";

type Step = NonNullable<AgentActivityQuery["agent"]>["activations"]["nodes"][number];

/** What served when: lanes for the eye, and each change as a sentence. */
export function Activity({ agent }: { agent: Agent }) {
  const keys = useMemo(() => agent.servings.map(({ environment }) => environment.key), [agent]);
  const list = usePages(AgentActivityDocument, { agent: agent.id, environments: keys }, (data) => data.agent?.activations, { topics: [topic.agent(agent.id)] });
  if (list.error) return <Fault error={list.error} retry={list.refetch} what="the activity" />;
  if (list.first === undefined) return <Skeleton rows={8} />;
  if (list.rows.length === 0) return <Empty title="Nothing has served yet">The first activation begins the history.</Empty>;
  return (
    <div className={styles["activity"]}>
      <Lanes agent={agent} steps={list.rows} />
      <ol className={styles["steps"]}>
        {list.rows.map((step, index) => {
          const date = day(step.activatedAt);
          const last = list.rows[index - 1];
          return (
            <Fragment key={step.id}>
              {(!last || day(last.activatedAt) !== date) && <li className={styles["day"]}>{date}</li>}
              <Sentence step={step} agentId={agent.id} />
            </Fragment>
          );
        })}
      </ol>
      {list.hasMore && (
        <Button onClick={list.more} busy={list.isLoadingMore}>
          Show older activations
        </Button>
      )}
    </div>
  );
}

function Sentence({ step, agentId }: { step: Step; agentId: string }) {
  const customer = useCustomer();
  const { activatedAt, activatedBy, reason, previousVersion: before, version, environment } = step;
  const params = { customer: customer.id, agent: agentId };
  return (
    <li className={styles["step"]} data-reason={reason}>
      <span className={styles["when"]}>
        <Time at={activatedAt} />
      </span>
      <span>
        <strong>{activatedBy.displayName}</strong> {reasonVerb(reason)}{" "}
        {before && version ? (
          <Link to="/c/$customer/agents/$agent/compare" params={params} search={{ from: before.number, to: version.number }} className={styles["moved"]}>
            {before.number} → {version.number}
          </Link>
        ) : version ? (
          <Link to="/c/$customer/agents/$agent/versions/$number" params={{ ...params, number: String(version.number) }} className={styles["moved"]}>
            {version.number}
          </Link>
        ) : (
          before && <span className={styles["moved"]}>{before.number}</span>
        )}{" "}
        {version?.message && <span className="muted">“{version.message}”</span>}
      </span>
      <EnvironmentMark environment={environment} />
    </li>
  );
}

function Lanes({ agent, steps }: { agent: Agent; steps: readonly Step[] }) {
  const now = useNow();
  const environments = agent.servings.map(({ environment }) => environment);
  const { since, lanes } = lanesOf(environments.map(({ key }) => key), steps, now);
  const seconds = Math.max((now - since) / 1000, 1);
  return (
    <figure className={styles["lanes"]} aria-label={`What served in the last ${duration(seconds)}; the list below says the same.`}>
      {lanes.map(({ key, stretches }) => {
        const environment = environments.find((one) => one.key === key);
        return (
          <div key={key} className={styles["lane"]} aria-hidden="true">
            <span className={styles["laneName"]}>{environment && <EnvironmentMark environment={environment} />}</span>
            <span className={styles["track"]}>
              {stretches.map((stretch) => {
                const { left, width } = placeOf(stretch, since, now);
                return (
                  <span key={`${stretch.from} ${stretch.number}`} className={styles["stretch"]} data-default={environment?.isDefault || undefined} style={{ left: `${left}%`, width: `${width}%` }} title={`${stretch.number}`}>
                    {width > 3 && stretch.number}
                  </span>
                );
              })}
            </span>
          </div>
        );
      })}
      <figcaption className={styles["axis"]}>
        <span>{duration(seconds)} ago</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}
