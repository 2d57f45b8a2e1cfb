import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { InstanceQuery } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { OperatorsOnly } from "~/frame/Operators";
import { Page } from "~/frame/Page";
import { absolute } from "~/time";
import { Icon } from "~/ui/Icon";
import { Badge } from "~/ui/marks";
import { Command, Data, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { count } from "~/words";
import { InstanceDocument } from "./documents";
import styles from "./InstancePage.module.css";

export default function InstancePage() {
  return (
    <OperatorsOnly>
      <Instance />
    </OperatorsOnly>
  );
}

function Instance() {
  const query = useData(InstanceDocument, {}, { every: 5000 });
  const problems = query.data?.instance.problems;
  return (
    <Page title="Instance" beside={problems && (problems.length > 0 ? <Badge tone="bad">Not ready</Badge> : <Badge tone="ok">Ready</Badge>)}>
      <Data query={query} what="the instance" skeleton={<Skeleton rows={6} height={36} />}>
        {(data) => <Facts data={data} />}
      </Data>
    </Page>
  );
}

function Facts({ data: { instance, auditStatus } }: { data: InstanceQuery }) {
  const { version, startedAt, revision, behind, watchers, problems } = instance;
  return (
    <>
      {problems.length > 0 && (
        <section className={styles["problems"]} role="alert">
          <h2>Why it isn’t ready</h2>
          <ul>
            {problems.map((problem) => (
              <li key={problem}>
                <Icon name="bad" size={12} /> {problem}
              </li>
            ))}
          </ul>
          <p className="muted">A load balancer that asks /readyz sends it nothing now. Gateways go on serving what they have.</p>
        </section>
      )}
      <dl className={styles["facts"]}>
        <Fact label="Version">{version}</Fact>
        <Fact label="Started">
          <Time at={startedAt} /> <span className="muted">· {absolute(startedAt)}</span>
        </Fact>
        <Fact label="Revision">
          <span className="number">{revision}</span> <span className="muted">is the last commit that it has applied</span>
        </Fact>
        <Fact label="Behind">{behind > 0 ? <Badge tone="warn">{count(behind, "commit")}</Badge> : "up to date with the log"}</Fact>
        <Fact label="Watchers">
          <Link to="/platform/gateways">{count(watchers, "subscription")}</Link>
        </Fact>
        <Fact label="Audit chain">
          {auditStatus.isIntact === false ? (
            <>
              <Badge tone="bad">Tampering found</Badge> after revision {auditStatus.verifiedRevision ?? "0"}
            </>
          ) : auditStatus.verifiedRevision ? (
            <>
              <Badge tone="ok">Verified up to revision {auditStatus.verifiedRevision}</Badge> {auditStatus.verifiedAt && <Time at={auditStatus.verifiedAt} />}
            </>
          ) : (
            "not checked yet"
          )}
        </Fact>
      </dl>
      <p className={styles["note"]}>These are of the instance that answered; behind a load balancer the next answer may be of another one. For all of them:</p>
      <Command text={`curl ${location.origin}/metrics`} />
    </>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
