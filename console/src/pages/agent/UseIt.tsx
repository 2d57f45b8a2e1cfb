import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useCustomer } from "~/frame/scope";
import { withCode } from "~/pages/activate/PlanView";
import { CopyButton } from "~/ui/CopyButton";
import { SelectFilter } from "~/ui/Filters";
import { ShortId } from "~/ui/marks";
import styles from "./AgentPage.module.css";
import type { Agent } from "./Cards";
import { snippetsOf } from "./snippets";

/** How a program reads, follows and changes what this agent serves. */
export function UseIt({ agent }: { agent: Agent }) {
  const customer = useCustomer();
  const environments = agent.servings.map(({ environment }) => environment);
  const [key, setKey] = useState(() => environments.find(({ isDefault }) => isDefault)?.key ?? environments[0]?.key ?? "production");
  const environment = environments.find((one) => one.key === key);
  const snippets = snippetsOf({ origin: location.origin, agentId: agent.id, environment: key, isDefault: environment?.isDefault ?? true, latest: agent.latestVersion ?? null });
  return (
    <div className={styles["use"]}>
      <div className={styles["useHead"]}>
        {environments.length > 1 && (
          <SelectFilter required label="Environment" value={key} onChange={(next) => next && setKey(next)}>
            {environments.map((one) => (
              <option key={one.key} value={one.key}>
                in {one.key}
              </option>
            ))}
          </SelectFilter>
        )}
        <span className="muted">
          Agent <ShortId id={agent.id} name={agent.name} />
        </span>
        <span className="muted">
          <code>$TOKEN</code> is an API key or a service token.{" "}
          <Link to="/c/$customer/keys" params={{ customer: customer.id }}>
            Keys
          </Link>
          {" · "}
          <Link to="/c/$customer/connect" params={{ customer: customer.id }}>
            Connect a gateway
          </Link>
        </span>
      </div>
      {snippets.map(({ key: name, title, about, text }) => (
        <section key={name} className={styles["snippet"]} aria-label={title}>
          <header>
            <h3>{title}</h3>
            <CopyButton text={text} what={`${title} example`} quiet />
          </header>
          <p className="muted">{withCode(about)}</p>
          <pre tabIndex={0} aria-label={title}>
            {text}
          </pre>
        </section>
      ))}
    </div>
  );
}
