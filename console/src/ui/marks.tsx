// The small marks that stand in tables and sentences.
import type { ReactNode } from "react";
import type { ActorKind, ChangeImpact } from "~/__generated__/graphql";
import { impactWord, shortId } from "~/words";
import { classes } from "./classes";
import { CopyButton } from "./CopyButton";
import { Icon } from "./Icon";
import styles from "./marks.module.css";

/** An environment by its key: a filled square and its own colour for production, an outlined square for the others. */
export function EnvironmentMark({ environment }: { environment: { key: string; isDefault?: boolean } }) {
  const isProduction = environment.isDefault ?? environment.key === "production";
  return <span className={classes(styles["environment"], isProduction && styles["production"])}>{environment.key}</span>;
}

export type Tone = "plain" | "ok" | "warn" | "bad" | "accent";

const SIGNS = { plain: null, ok: "check", warn: "warn", bad: "bad", accent: null } as const;

/** A state in a word, with a sign, so that the colour isn't all that says it. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  const sign = SIGNS[tone];
  return (
    <span className={classes(styles["badge"], tone !== "plain" && styles[tone])}>
      {sign && <Icon name={sign} size={12} />}
      {children}
    </span>
  );
}

const TONES: Record<ChangeImpact, Tone> = {
  SAME: "plain",
  CONTENT: "plain",
  TUNING: "plain",
  MODEL: "accent",
  CAPABILITY: "accent",
  WIDENED: "accent",
  UNKNOWN: "warn",
  NARROWED: "warn",
  REMOVED: "bad",
};

/** What a change may do, in the words of the plan. */
export function ImpactBadge({ impact }: { impact: ChangeImpact }) {
  return <Badge tone={TONES[impact] ?? "warn"}>{impactWord(impact)}</Badge>;
}

/** Who did something. */
export function Person({ actor }: { actor: { displayName: string; kind?: ActorKind } }) {
  return <span>{actor.displayName}</span>;
}

/** The last six characters of an id, with all of it to copy. */
export function ShortId({ id, name }: { id: string; name: string }) {
  return (
    <span className={styles["id"]}>
      …{shortId(id)}
      <CopyButton text={id} what={`id of ${name}`} quiet />
    </span>
  );
}
