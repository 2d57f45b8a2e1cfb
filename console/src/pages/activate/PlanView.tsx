import type { PlanPartsFragment } from "~/__generated__/graphql";
import { count, ruleWord } from "~/words";
import { Icon } from "~/ui/Icon";
import { ImpactBadge } from "~/ui/marks";
import { byImpact, inWords } from "./impacts";
import styles from "./PlanView.module.css";

type Finding = PlanPartsFragment["findings"][number];

/** What a plan changes, worst first, what the rules say, and which gateways it concerns. */
export function PlanView({ plan, isRollback = false }: { plan: PlanPartsFragment; isRollback?: boolean }) {
  const groups = byImpact(plan.findings);
  return (
    <dl className={styles["plan"]}>
      {groups.length === 0 && (
        <Entry title={<ImpactBadge impact="SAME" />}>
          <p>{plan.version ? "The content is the same, byte for byte." : "The agent’s content doesn’t matter here."}</p>
        </Entry>
      )}
      {groups.map(({ impact, items }) => (
        <Entry key={impact} title={<ImpactBadge impact={impact} />}>
          <Findings items={items} />
        </Entry>
      ))}
      {!isRollback && plan.policy.length > 0 && (
        <Entry title="Rules">
          <ul className={styles["list"]}>
            {plan.policy.map(({ rule, effect, message }) => (
              <li key={rule} className={styles["rule"]} data-effect={effect}>
                <Icon name={effect === "REFUSE" ? "bad" : effect === "CONFIRM" ? "warn" : "check"} size={14} />
                <span>
                  <span className={styles["name"]}>{ruleWord(rule)}</span> {withCode(message)}
                </span>
              </li>
            ))}
          </ul>
        </Entry>
      )}
      <Entry title="Concerns">
        <p>{gateways(plan)}</p>
      </Entry>
    </dl>
  );
}

function gateways({ affectedGateways: all, pendingGateways: behind }: PlanPartsFragment): string {
  if (all === 0) return "No gateway watches this environment now. The next one that connects gets it.";
  return behind === 0 ? `${count(all, "gateway")}.` : `${count(all, "gateway")}, ${behind} of them still behind.`;
}

function Entry({ title, children }: { title: React.ReactNode; children: React.ReactNode }) {
  return (
    <div className={styles["entry"]}>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const SHOWN = 8;

function Findings({ items }: { items: Finding[] }) {
  const [first, rest] = [items.slice(0, SHOWN), items.slice(SHOWN)];
  return (
    <>
      <ul className={styles["list"]}>
        {first.map((finding, index) => (
          <One key={index} finding={finding} />
        ))}
      </ul>
      {rest.length > 0 && (
        <details className={styles["more"]}>
          <summary>{count(rest.length, "more")}</summary>
          <ul className={styles["list"]}>
            {rest.map((finding, index) => (
              <One key={index} finding={finding} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** A sentence; its place and both values on demand. */
function One({ finding: { message, path, before, after } }: { finding: Finding }) {
  const hasValues = before !== null || after !== null;
  if (!hasValues && path.length < 2) return <li>{withCode(message)}</li>;
  return (
    <li>
      <details>
        <summary>{withCode(message)}</summary>
        <div className={styles["values"]}>
          <code>{path.join(" › ")}</code>
          {before !== null && (
            <del>
              <span className={styles["sign"]}>−</span> {show(before)}
            </del>
          )}
          {after !== null && (
            <ins>
              <span className={styles["sign"]}>+</span> {show(after)}
            </ins>
          )}
        </div>
      </details>
    </li>
  );
}

/** A message of the service as a sentence, with its `names` in monospace. */
export function withCode(message: string): React.ReactNode {
  return inWords(message).split(/(`[^`]+`)/).map((part, index) => (/^`[^`]+`$/.test(part) ? <code key={index}>{part.slice(1, -1)}</code> : part));
}

/** A JSON value on one line, cut off where it gets long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}
