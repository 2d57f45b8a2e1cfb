import type { ActorKind, ChangeAction } from "~/__generated__/graphql";
import { oneOf, text, texts, type RawSearch } from "~/search";

const KINDS = ["USER", "API_KEY", "SERVICE", "OPERATOR", "SYSTEM"] as const satisfies readonly ActorKind[];

/** The filters of the log. */
export interface AuditSearch {
  actions?: ChangeAction[];
  agent?: string;
  actor?: string;
  kind?: (typeof KINDS)[number];
  /** A day in the reader's time zone, or an instant. */
  since?: string;
  /** A day, the whole of which counts, or an instant. */
  until?: string;
  /** The entries of this commit alone. */
  revision?: string;
  /** The entry that is unfolded. */
  entry?: string;
}

export function auditSearch(raw: RawSearch): AuditSearch {
  const actions = texts(raw["actions"])?.filter((one) => /^[A-Z_]+$/.test(one)) as ChangeAction[] | undefined;
  const revision = text(raw["revision"]);
  return {
    actions: actions?.length ? actions : undefined,
    agent: text(raw["agent"]),
    actor: text(raw["actor"]),
    kind: oneOf(raw["kind"], KINDS),
    since: text(raw["since"]),
    until: text(raw["until"]),
    revision: revision && /^\d{1,19}$/.test(revision) ? revision : undefined,
    entry: text(raw["entry"]),
  };
}
