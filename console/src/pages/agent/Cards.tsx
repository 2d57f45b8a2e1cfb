import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import type { AgentQuery } from "~/__generated__/graphql";
import { openActivation } from "~/activation";
import { useCustomer, type CustomerScope } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { EnvironmentConvergence, useAgentConvergence } from "~/ui/Convergence";
import { EnvironmentMark } from "~/ui/marks";
import { Menu, MenuItem } from "~/ui/Menu";
import { Time } from "~/ui/Time";
import { reasonVerb } from "~/words";
import styles from "./AgentPage.module.css";

export type Agent = NonNullable<AgentQuery["agent"]>;
export type Serving = Agent["servings"][number];

/** Why nothing can be activated here; null if it can. */
export function whyNotActivate(agent: Pick<Agent, "archivedAt">, serving: { environment: Pick<Serving["environment"], "key" | "activateRole">; viewerPermissions: Serving["viewerPermissions"] }, customer: CustomerScope): string | null {
  if (serving.viewerPermissions.includes("ACTIVATE_VERSIONS")) return null;
  if (agent.archivedAt) return "The agent is archived: restore it first";
  return customer.why("ACTIVATE_VERSIONS") ?? (serving.environment.activateRole === "ADMIN" ? `${serving.environment.key} needs an admin` : "Needs an editor");
}

/** The environments side by side, by rank: what each serves, since when, by whom, and what can be done about it. */
export function Cards({ agent }: { agent: Agent }) {
  const convergence = useAgentConvergence(agent.id);
  return (
    <section className={styles["cards"]} aria-label="Environments">
      {agent.servings.map((serving) => (
        <Card key={serving.environment.key} agent={agent} serving={serving} convergence={convergence} />
      ))}
    </section>
  );
}

function Card({ agent, serving, convergence }: { agent: Agent; serving: Serving; convergence: ReturnType<typeof useAgentConvergence> }) {
  const { environment, activeVersion: active, latestActivation: latest } = serving;
  const customer = useCustomer();
  const params = { customer: customer.id, agent: agent.id };
  const [first] = useState(active?.id);
  const newest = agent.latestVersion?.number ?? 0;
  return (
    <article className={styles["card"]} aria-label={environment.key}>
      <header className={styles["cardHead"]}>
        <h2>
          <EnvironmentMark environment={environment} />
        </h2>
        {active && newest > active.number && (
          <Link to="/c/$customer/agents/$agent/compare" params={params} search={{ from: active.number, to: newest }} className={styles["newer"]}>
            {newest} is newer
          </Link>
        )}
      </header>
      <div className={styles["serves"]} key={active?.id ?? "nothing"} data-moved={active?.id === first ? undefined : ""}>
        {active ? (
          <>
            <Link className={styles["big"]} to="/c/$customer/agents/$agent/versions/$number" params={{ ...params, number: String(active.number) }} aria-label={`Version ${active.number}`}>
              {active.number}
            </Link>
            <span className={styles["about"]}>
              {active.message && <span className={styles["message"]}>{active.message}</span>}
              <span className="muted">{active.modelName}</span>
            </span>
          </>
        ) : (
          <span className={styles["nothing"]}>Serves nothing</span>
        )}
      </div>
      <p className={styles["since"]}>
        {latest ? (
          <>
            {active ? "since " : "stopped "}
            <Time at={latest.activatedAt} /> · {latest.activatedBy.displayName} {reasonVerb(latest.reason)}
            {latest.previousVersion && active && latest.previousVersion.number !== active.number ? ` ${latest.previousVersion.number} → ${active.number}` : ""}
          </>
        ) : (
          "Nothing ever served here."
        )}
      </p>
      {latest && <EnvironmentConvergence servings={convergence} environment={environment.key} />}
      <div className={styles["cardButtons"]}>
        <CardButtons agent={agent} serving={serving} />
      </div>
    </article>
  );
}

/** What may be promoted to where: an environment that takes from this one, else the default one. */
function promotionsFrom(agent: Agent, { environment, activeVersion }: Serving): Serving[] {
  if (!activeVersion) return [];
  const others = agent.servings.filter((one) => one.environment.key !== environment.key && one.activeVersion?.id !== activeVersion.id);
  const named = others.filter((one) => one.environment.promoteFrom?.key === environment.key);
  if (named.length > 0) return named;
  return environment.isDefault ? [] : others.filter((one) => one.environment.isDefault && !one.environment.promoteFrom);
}

function CardButtons({ agent, serving }: { agent: Agent; serving: Serving }): ReactNode {
  const customer = useCustomer();
  const { environment, activeVersion: active, rollbackTarget: target } = serving;
  const reason = whyNotActivate(agent, serving, customer);
  const here = { agentId: agent.id, environment: environment.key };
  const latest = agent.latestVersion;
  return (
    <>
      {promotionsFrom(agent, serving).map((to) => (
        <Button key={to.environment.key} small reason={whyNotActivate(agent, to, customer)} onClick={() => openActivation({ kind: "promote", agentId: agent.id, environment: to.environment.key, fromEnvironment: environment.key })}>
          Promote {active?.number} to {to.environment.key}…
        </Button>
      ))}
      {target && (
        <Button small icon="undo" reason={reason} onClick={() => openActivation({ kind: "rollback", ...here, versionId: target.id })}>
          Roll back to {target.number}…
        </Button>
      )}
      {!active && latest && (
        <Button small reason={reason} onClick={() => openActivation({ kind: "activate", ...here, versionId: latest.id })}>
          Activate {latest.number}…
        </Button>
      )}
      {active && (
        <Menu
          trigger={
            <Button kind="quiet" small icon="more" iconOnly>
              More for {environment.key}
            </Button>
          }
        >
          {latest && latest.id !== active.id && (
            <MenuItem reason={reason} onSelect={() => openActivation({ kind: "activate", ...here, versionId: latest.id })}>
              Serve {latest.number} in {environment.key}…
            </MenuItem>
          )}
          <MenuItem danger reason={reason} onSelect={() => openActivation({ kind: "deactivate", ...here })}>
            Stop serving in {environment.key}…
          </MenuItem>
        </Menu>
      )}
    </>
  );
}
