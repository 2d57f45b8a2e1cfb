import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { LatestActivationFragment } from "~/__generated__/graphql";
import { live } from "~/api/live";
import { useData } from "~/api/query";
import { useCustomer } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { EnvironmentMark, Person } from "~/ui/marks";
import { Data, Empty, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { count, reasonVerb } from "~/words";
import { LatestActivationsDocument } from "./documents";
import styles from "./OverviewPage.module.css";

const SHOWN = new Set(["AGENT_ACTIVATED", "AGENT_DEACTIVATED", "AGENT_ARCHIVED"]);

/** The newest activations. Later ones wait behind a button, so that rows never jump under the pointer. */
export function LatestChanges() {
  const customer = useCustomer();
  const keys = customer.environments.map(({ key }) => key);
  const query = useData(LatestActivationsDocument, { customer: customer.id, environments: keys });
  const [newer, setNewer] = useState(0);
  useEffect(() => live.onEvent(({ action, customerId }) => {
    if (customerId === customer.id && SHOWN.has(action)) setNewer((number) => number + 1);
  }), [customer.id]);
  const { refetch } = query;
  // Nothing can jump in an empty list.
  const isEmpty = query.data?.customer?.activations.nodes.length === 0;
  useEffect(() => {
    if (isEmpty && newer > 0) void refetch().then(() => setNewer(0));
  }, [isEmpty, newer, refetch]);
  const show = async () => {
    await refetch();
    setNewer(0);
    toast("The newest changes are shown.");
  };
  return (
    <section className={styles["section"]} aria-labelledby="latest">
      <div className={styles["head"]}>
        <h2 id="latest">Latest changes</h2>
        {customer.may("READ_CHANGES") && (
          <Link to="/c/$customer/audit" params={{ customer: customer.id }}>
            All activity
          </Link>
        )}
      </div>
      <Data query={query} skeleton={<Skeleton rows={8} height={28} />} what="changes">
        {(data) => {
          const nodes = data.customer?.activations.nodes ?? [];
          if (nodes.length === 0 && newer === 0) return <Empty title="Nothing has been activated yet">Each activation, promotion and rollback is listed here, with who did it.</Empty>;
          return (
            <div className={styles["list"]}>
              {newer > 0 && (
                <div className={styles["newer"]}>
                  <Button kind="link" small onClick={() => void show()}>
                    {count(newer, "newer change")} · Show
                  </Button>
                </div>
              )}
              <ul>
                {nodes.map((activation) => (
                  <Change key={activation.id} activation={activation} customer={customer.id} />
                ))}
              </ul>
            </div>
          );
        }}
      </Data>
    </section>
  );
}

function Change({ activation, customer }: { activation: LatestActivationFragment; customer: string }) {
  const { activatedAt, activatedBy, reason, agent, environment, previousVersion, version } = activation;
  const numbers = [previousVersion?.number, version?.number].filter((number) => number !== undefined).join(" → ");
  return (
    <li className={styles["change"]} data-row="">
      <Time at={activatedAt} />
      <span className={styles["what"]}>
        <Person actor={activatedBy} /> {reasonVerb(reason)}{" "}
        <Link to="/c/$customer/agents/$agent" params={{ customer, agent: agent.id }} search={{ tab: "activity" }}>
          {agent.name}
        </Link>{" "}
        <span className="number">{version ? numbers : `${numbers} → nothing`}</span>
      </span>
      <EnvironmentMark environment={environment} />
    </li>
  );
}
