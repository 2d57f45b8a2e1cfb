import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { OverviewQuery } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer, useViewer, type CustomerScope } from "~/frame/scope";
import { absolute, day as dayWords, timeZone } from "~/time";
import { Button, buttonClass } from "~/ui/Button";
import { Chart } from "~/ui/chart";
import { daysFrom } from "~/ui/chart/stack";
import { ConvergenceBar } from "~/ui/Convergence";
import { convergenceWords } from "~/ui/convergenceWords";
import { Icon } from "~/ui/Icon";
import { EnvironmentMark } from "~/ui/marks";
import { Data, Fault, Gone, Skeleton } from "~/ui/states";
import { Time, useNow } from "~/ui/Time";
import { actionVerb, count, planWord } from "~/words";
import { attentionOf, seriesOf, type Attention } from "./attention";
import { DayDocument, LatestActivationsDocument, OverviewDocument, ServingCountDocument } from "./documents";
import { FirstSteps, stepsOf } from "./FirstSteps";
import { LatestChanges } from "./LatestChanges";
import styles from "./OverviewPage.module.css";

/** How many days the chart shows. */
const DAYS = 30;
/** For how many days after its creation a customer's first steps are shown. */
const NEW_FOR = 14;

/** The page that is opened daily: what is wrong, what serves, what changed. */
export default function OverviewPage() {
  const customer = useCustomer();
  const viewer = useViewer();
  const now = useNow();
  const zone = timeZone();
  // The first day is a day in the reader's zone, so that the query stays the same until midnight.
  const first = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(now - (DAYS - 1) * 86_400_000);
  const keys = customer.environments.map(({ key }) => key);
  const query = useData(
    OverviewDocument,
    { customer: customer.id, environments: keys, since: startOfDay(first, zone), timeZone: zone, isOperator: viewer.isOperator },
    { topics: [topic.agents(customer.id), topic.activations(customer.id), topic.environments(customer.id), topic.customer(customer.id), topic.keys(customer.id)], keep: true, every: 60_000 },
  );
  return (
    <Page title="Overview" crumbs={[{ label: "Overview" }]}>
      <div className={styles["grid"]}>
        <Data query={query} skeleton={<Skeleton rows={10} height={32} />} what="this customer">
          {(data) => (data.customer ? <Overview data={data} customer={data.customer} first={first} zone={zone} /> : <Gone what="customer" />)}
        </Data>
        <LatestChanges />
      </div>
    </Page>
  );
}

/** The moment at which a day begins in a zone. */
function startOfDay(day: string, zone: string): string {
  const guess = new Date(`${day}T00:00:00Z`);
  const there = new Date(guess.toLocaleString("en-US", { timeZone: zone }));
  const utc = new Date(guess.toLocaleString("en-US", { timeZone: "UTC" }));
  return new Date(guess.getTime() + (utc.getTime() - there.getTime())).toISOString();
}

/** The time of the latest activation of each environment, as far as the list of changes has them. */
function useLatest(customer: CustomerScope): ReadonlyMap<string, string> {
  const keys = customer.environments.map(({ key }) => key);
  const query = useData(LatestActivationsDocument, { customer: customer.id, environments: keys });
  return useMemo(() => {
    const latest = new Map<string, string>();
    for (const { environment, activatedAt } of query.data?.customer?.activations.nodes ?? []) {
      if (!latest.has(environment.key)) latest.set(environment.key, activatedAt);
    }
    return latest;
  }, [query.data]);
}

function Overview({ data, customer, first, zone }: { data: OverviewQuery; customer: NonNullable<OverviewQuery["customer"]>; first: string; zone: string }) {
  const scope = useCustomer();
  const now = useNow();
  const latest = useLatest(scope);
  const entries = attentionOf(customer, latest, data.instance, now);
  const steps = stepsOf(customer, latest.size > 0, { people: scope.may("READ_MEMBERS"), keys: scope.may("READ_KEYS") });
  const isNew = customer.all.totalCount === 0 || now - Date.parse(customer.createdAt) < NEW_FOR * 86_400_000;
  const isOpen = isNew && steps.some(({ isDone }) => !isDone);
  return (
    <div className={styles["column"]}>
      {isOpen && <FirstSteps steps={steps} />}
      <section className={styles["section"]} aria-labelledby="attention">
        <h2 id="attention">Needs attention</h2>
        {entries.length === 0 ? (
          <p className={styles["fine"]}>
            <Icon name="check" /> Nothing needs you.
          </p>
        ) : (
          <ul className={styles["list"]}>
            {entries.map((entry) => (
              <li key={entry.key} className={styles["item"]} data-tone={entry.tone}>
                <Icon name={entry.tone === "bad" ? "bad" : "warn"} />
                <span>{entry.words}</span>
                <Way entry={entry} customer={customer.id} />
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className={styles["section"]} aria-labelledby="serving">
        <h2 id="serving">Serving</h2>
        <div className={styles["cards"]}>
          {customer.environments.map((environment) => (
            <EnvironmentCard key={environment.id} environment={environment} customer={customer.id} all={customer.all.totalCount} />
          ))}
        </div>
      </section>
      <Activity counts={data.activationCounts} first={first} zone={zone} />
      {customer.usage && (
        <section className={styles["section"]} aria-labelledby="plan">
          <h2 id="plan">{customer.plan ? `Plan ${planWord(customer.plan)}` : "Plan"}</h2>
          <Usage usage={customer.usage} customer={customer.id} />
        </section>
      )}
    </div>
  );
}

function Way({ entry, customer }: { entry: Attention; customer: string }) {
  const viewer = useViewer();
  const small = buttonClass("plain", true);
  switch (entry.leads) {
    case "agent":
      return (
        <Link className={small} to="/c/$customer/agents/$agent" params={{ customer, agent: entry.agentId }}>
          View
        </Link>
      );
    case "keys":
      return (
        <Link className={small} to="/c/$customer/keys" params={{ customer }}>
          Rotate
        </Link>
      );
    case "gateways":
      return viewer.isOperator ? (
        <Link className={small} to="/platform/gateways" search={{ behind: true }}>
          View gateways
        </Link>
      ) : null;
    case "none":
      return null;
  }
}

function EnvironmentCard({ environment, customer, all }: { environment: NonNullable<OverviewQuery["customer"]>["environments"][number]; customer: string; all: number }) {
  const { key, isDefault, convergence } = environment;
  const serving = useData(ServingCountDocument, { customer, environment: key }, { topics: [topic.agents(customer)], keep: true });
  const viewer = useViewer();
  const number = serving.data?.agents.totalCount;
  const gateways = convergence?.gateways ?? 0;
  return (
    <div className={styles["card"]} data-default={isDefault ? "" : undefined}>
      <h3>
        <EnvironmentMark environment={environment} />
      </h3>
      <div className={styles["numbers"]}>
        <Link to="/c/$customer/agents" params={{ customer }} search={{ environment: key, serving: "yes" }}>
          <span className={styles["big"]}>{number ?? "–"}</span> of {count(all, "agent")}
        </Link>
        {gateways > 0 && convergence && (
          <span>
            <span className={styles["big"]}>
              {convergence.applied}/{gateways}
            </span>{" "}
            {viewer.isOperator ? (
              <Link to="/platform/gateways" search={{ environment: key }}>
                gateways
              </Link>
            ) : (
              "gateways"
            )}
          </span>
        )}
      </div>
      {serving.error && <Fault error={serving.error} />}
      {gateways > 0 && convergence && (
        <ConvergenceBar convergence={convergence} label={convergenceWords(convergence)} />
      )}
      {gateways === 0 ? (
        <p className="muted">
          No gateway has reported yet.{" "}
          <Link to="/c/$customer/connect" params={{ customer }} search={{ environment: key }}>
            Connect a gateway
          </Link>
        </p>
      ) : (
        <p className="muted">{convergence && convergenceWords(convergence)}</p>
      )}
    </div>
  );
}

/** Did we change more, did we roll back? A click on a day lists it. */
function Activity({ counts, first, zone }: { counts: OverviewQuery["activationCounts"]; first: string; zone: string }) {
  const customer = useCustomer();
  const [picked, setPicked] = useState<string | null>(null);
  const days = useMemo(() => daysFrom(first, DAYS), [first]);
  const series = useMemo(() => seriesOf(counts, days), [counts, days]);
  const mayRead = customer.may("READ_CHANGES");
  return (
    <section className={styles["section"]} aria-labelledby="activity">
      <h2 id="activity">Activations a day, {DAYS} days</h2>
      <div className={styles["panel"]}>
        <Chart label={`Activations a day, ${DAYS} days`} days={days} series={series} {...(mayRead ? { onPick: setPicked } : {})} picked={picked} />
      </div>
      {picked && <Day day={picked} zone={zone} close={() => setPicked(null)} />}
    </section>
  );
}

function Day({ day, zone, close }: { day: string; zone: string; close: () => void }) {
  const customer = useCustomer();
  const since = startOfDay(day, zone);
  const until = startOfDay(daysFrom(day, 2)[1] ?? day, zone);
  const query = useData(DayDocument, { customer: customer.id, since, until });
  return (
    <div className={styles["list"]}>
      <div className={styles["item"]}>
        <span>
          <b>{dayWords(since, zone)}</b>
        </span>
        <Link to="/c/$customer/audit" params={{ customer: customer.id }} search={{ since, until }}>
          Open in Audit
        </Link>
        <Button kind="quiet" small icon="close" iconOnly onClick={close}>
          Close this day
        </Button>
      </div>
      <Data query={query} what="the audit">
        {({ changes }) =>
          changes.nodes.length === 0 ? (
            <p className={styles["item"]}>Nothing was activated on this day.</p>
          ) : (
            <ul>
              {changes.nodes.map(({ id, at, action, actor, agent, version, environment }) => (
                <li key={id} className={styles["change"]}>
                  <Time at={at} />
                  <span className={styles["what"]} title={absolute(at, zone)}>
                    {actor.displayName} {actionVerb(action)} {agent?.name} {version?.number}
                  </span>
                  {environment && <EnvironmentMark environment={environment} />}
                </li>
              ))}
            </ul>
          )
        }
      </Data>
    </div>
  );
}

function Usage({ usage, customer }: { usage: NonNullable<NonNullable<OverviewQuery["customer"]>["usage"]>; customer: string }) {
  const params = { customer };
  const places = [
    { label: "Agents", quota: usage.agents, to: { to: "/c/$customer/agents" as const, params } },
    { label: "Keys", quota: usage.apiKeys, to: { to: "/c/$customer/keys" as const, params } },
    { label: "People", quota: usage.members, to: { to: "/c/$customer/people" as const, params } },
    { label: "Environments", quota: usage.environments, to: { to: "/c/$customer/environments" as const, params } },
  ];
  return (
    <dl className={styles["usage"]}>
      {places.map(({ label, quota, to }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <Link {...to} className="number">
              {quota.used.toLocaleString("en")} of {quota.limit.toLocaleString("en")}
            </Link>
          </dd>
        </div>
      ))}
    </dl>
  );
}
