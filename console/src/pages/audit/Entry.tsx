// One entry: a line, and what it holds when it is unfolded.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { AuditEntryFragment } from "~/__generated__/graphql";
import { absolute, timeZone } from "~/time";
import { Icon } from "~/ui/Icon";
import { EnvironmentMark, ShortId } from "~/ui/marks";
import { actorWord, channelWord } from "~/words";
import styles from "./AuditPage.module.css";
import { Fields } from "./Fields";
import { Sentence } from "./Sentence";

type Item = AuditEntryFragment;

/** The time of the day to the second, in the reader's zone. */
function seconds(at: string): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: timeZone() }).format(new Date(at));
}

export function Entry({ entry, customer, isOpen, isNew }: { entry: Item; customer: string; isOpen: boolean; isNew: boolean }) {
  const { actor, environment, channel, network } = entry;
  const isServing = entry.action === "AGENT_ACTIVATED" || entry.action === "AGENT_DEACTIVATED";
  const fold = useFold(entry, isOpen);
  return (
    <li className={styles["entry"]} data-row="" data-open={isOpen || undefined} data-moved={isNew ? "" : undefined}>
      <div className={styles["line"]}>
        <Link {...fold} className={styles["time"]} aria-expanded={isOpen} aria-label={`${absolute(entry.at)}: ${isOpen ? "fold" : "show all of it"}`}>
          <span className={styles["chevron"]}>
            <Icon name="chevron" size={12} />
          </span>
          <time dateTime={entry.at}>{seconds(entry.at)}</time>
        </Link>
        <p className={styles["what"]}>
          <b>{actor.displayName}</b> <Sentence entry={entry} customer={customer} />
        </p>
        <span className={styles["where"]}>{isServing && environment && <EnvironmentMark environment={environment} />}</span>
        <span className={styles["via"]}>
          {[channel && channelWord(channel), network].filter(Boolean).join(" · ")}
        </span>
      </div>
      {isOpen && <Details entry={entry} customer={customer} />}
    </li>
  );
}

function useFold(entry: Item, isOpen: boolean) {
  return {
    from: "/c/$customer/audit",
    to: ".",
    search: (old: object) => ({ ...old, entry: isOpen ? undefined : entry.id }),
    replace: true,
    resetScroll: false,
  } as const;
}

function Details({ entry, customer }: { entry: Item; customer: string }) {
  const { actor } = entry;
  return (
    <div className={styles["details"]}>
      <Fields changes={entry.fieldChanges} />
      <dl className={styles["facts"]}>
        <Fact label="When">{absolute(entry.at)}</Fact>
        <Fact label="Who">
          {actor.displayName}, {actorWord(actor.kind).toLowerCase()} {actor.id && <ShortId id={actor.id} name={actor.displayName} />}
        </Fact>
        <Fact label="Through">{entry.channel ? channelWord(entry.channel) : "not recorded"}</Fact>
        <Fact label="Network">{entry.network ?? "none"}</Fact>
        {entry.requestId && (
          <Fact label="Request">
            <ShortId id={entry.requestId} name="the request" />
          </Fact>
        )}
        <Fact label="Revision">
          <Link to="/c/$customer/audit" params={{ customer }} search={{ revision: entry.revision, entry: entry.id }}>
            {entry.revision}
          </Link>
          {entry.position > 1 && `, entry ${entry.position}`}
        </Fact>
        <Fact label="Hash">
          <ShortId id={entry.rowHash} name="the entry’s hash" />
        </Fact>
        <Fact label="Chain hash">
          <ShortId id={entry.chainHash} name="the chain’s hash" />
        </Fact>
      </dl>
      <p className={styles["narrow"]}>
        {actor.id && (
          <Link to="/c/$customer/audit" params={{ customer }} search={{ actor: actor.id }}>
            Only changes by {actor.displayName}
          </Link>
        )}
        {entry.agent && (
          <Link to="/c/$customer/audit" params={{ customer }} search={{ agent: entry.agent.id }}>
            Only changes of {entry.agent.name}
          </Link>
        )}
      </p>
    </div>
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
