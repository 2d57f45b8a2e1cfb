import { Link, type LinkProps } from "@tanstack/react-router";
import type { OverviewQuery } from "~/__generated__/graphql";
import { useCustomer } from "~/frame/scope";
import { buttonClass } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import styles from "./OverviewPage.module.css";

interface Step {
  words: string;
  why: string;
  isDone: boolean;
  button: string;
  to: LinkProps;
}

/** What a new customer does first, ticked from data. Null when all of it is done, or the customer isn't new. */
export function stepsOf(customer: NonNullable<OverviewQuery["customer"]>, hasActivation: boolean, rights: { people: boolean; keys: boolean }): Step[] {
  const params = { customer: customer.id };
  const first = customer.all.nodes[0];
  const publish: LinkProps = first
    ? { to: "/c/$customer/agents/$agent/publish", params: { ...params, agent: first.id } }
    : { to: "/c/$customer/agents", params };
  const gateways = customer.environments.reduce((sum, { convergence }) => sum + (convergence?.gateways ?? 0), 0);
  const steps: Step[] = [
    { words: "Publish a version", why: "A prompt, a model and its tools, which never change again.", isDone: hasActivation || customer.all.nodes.some(({ latestVersion }) => latestVersion), button: first ? "Publish a version" : "Create an agent", to: publish },
    { words: "Activate it", why: "Gateways receive it within a moment. The plan says before what it may break.", isDone: hasActivation, button: "Open agents", to: { to: "/c/$customer/agents", params } },
    { words: "Connect a gateway", why: "One click makes a key, and shows what to run.", isDone: gateways > 0, button: "Connect a gateway", to: { to: "/c/$customer/connect", params } },
  ];
  if (rights.people) {
    const people = (customer.members?.totalCount ?? 0) + (customer.invitations?.totalCount ?? 0);
    steps.push({ words: "Invite somebody", why: "As a viewer, an editor or an admin.", isDone: people > 1, button: "Invite people", to: { to: "/c/$customer/people", params } });
  }
  if (rights.keys) {
    steps.push({ words: "Make a key", why: "For your own programs: to publish from a pipeline, or to read the audit.", isDone: (customer.apiKeys?.totalCount ?? 0) > 0, button: "Make a key", to: { to: "/c/$customer/keys", params } });
  }
  return steps;
}

export function FirstSteps({ steps }: { steps: Step[] }) {
  const customer = useCustomer();
  const next = steps.findIndex(({ isDone }) => !isDone);
  return (
    <section className={styles["section"]} aria-labelledby="first">
      <h2 id="first">First steps at {customer.name}</h2>
      <ol className={styles["list"]}>
        {steps.map(({ words, why, isDone, button, to }, index) => (
          <li key={words} className={styles["step"]} data-done={isDone ? "" : undefined}>
            <span className={styles["tick"]}>{isDone && <Icon name="check" size={12} />}</span>
            <div>
              <b>{words}</b>
              <span className="unseen">{isDone ? ": done" : ": to do"}</span>
              <p className="muted">{why}</p>
            </div>
            {!isDone && (
              <Link {...to} className={buttonClass(index === next ? "filled" : "plain", true)}>
                {button}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
