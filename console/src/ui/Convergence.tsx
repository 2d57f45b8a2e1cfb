import { useState } from "react";
import type { AgentConvergenceQuery, ConvergencePartsFragment as Numbers } from "~/__generated__/graphql";
import { graphql } from "~/api/graphql";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import styles from "./Convergence.module.css";
import { convergenceWords } from "./convergenceWords";

/** How far a change has come. */
export const ConvergencePartsFragment = graphql(`
  fragment ConvergenceParts on Convergence {
    isComplete
    gateways
    applied
    pending
    late
    rejected
    silent
  }
`);

const AgentConvergenceDocument = graphql(`
  query AgentConvergence($agent: ID!) {
    agent(id: $agent) {
      id
      servings {
        environment {
          key
        }
        convergence {
          ...ConvergenceParts
          rejections(first: 3) {
            gatewayName
            code
            message
          }
        }
      }
    }
  }
`);

/** The share of the gateways that have applied a change, and those that are late or refuse it. */
export function ConvergenceBar({ convergence: { gateways, applied, pending, rejected }, label }: { convergence: Pick<Numbers, "gateways" | "applied" | "pending" | "rejected">; label: string }) {
  const share = (number: number) => ({ width: `${(number / gateways) * 100}%` });
  return (
    <div className={styles["bar"]} role="img" aria-label={label}>
      <i style={share(applied)} />
      <i data-tone="warn" style={share(pending)} />
      <i data-tone="bad" style={share(rejected)} />
    </div>
  );
}

type AgentServings = NonNullable<AgentConvergenceQuery["agent"]>["servings"];

/** Milliseconds between two reads while gateways are awaited, and while all have what serves. */
const [SOON, LATER] = [2000, 15_000];

/** Which gateways have applied what an agent serves; undefined until it is known. */
export function useAgentConvergence(agentId: string): AgentServings | undefined {
  const [isAwaited, setAwaited] = useState(true);
  const query = useData(AgentConvergenceDocument, { agent: agentId }, { topics: [topic.agent(agentId)], keep: true, every: isAwaited ? SOON : LATER });
  const servings = query.data?.agent?.servings;
  const isOpen = servings?.some(({ convergence }) => convergence && !convergence.isComplete) ?? false;
  if (servings && isOpen !== isAwaited) setAwaited(isOpen);
  return servings;
}

/** The convergence of one environment. Nothing without a gateway, unless `none` says so. */
export function EnvironmentConvergence({ servings, environment, none }: { servings: AgentServings | undefined; environment: string; none?: string }) {
  if (!servings) return null;
  const convergence = servings.find((one) => one.environment.key === environment)?.convergence;
  if (!convergence || convergence.gateways === 0) return none ? <p className="muted">{none}</p> : null;
  const words = convergenceWords(convergence);
  return (
    <div className={styles["convergence"]}>
      <ConvergenceBar convergence={convergence} label={words} />
      <p className={styles["words"]}>{words}</p>
      {convergence.rejections.map(({ gatewayName, code, message }) => (
        <p key={gatewayName} className={styles["refusal"]}>
          <b>{gatewayName}</b> refuses it: {message || code}
        </p>
      ))}
    </div>
  );
}
