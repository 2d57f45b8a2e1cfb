import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState, useSyncExternalStore } from "react";
import type { AgentVersionsQuery } from "~/__generated__/graphql";
import { openActivation } from "~/activation";
import { usePages } from "~/api/pages";
import { topic } from "~/api/topics";
import { useCustomer } from "~/frame/scope";
import { useVersion } from "~/pages/version/useVersion";
import { VersionView } from "~/pages/version/VersionView";
import type { VERSION_TABS } from "~/pages/version/search";
import { whyNoVersion } from "~/pages/version/VersionPage";
import { Button, buttonClass } from "~/ui/Button";
import { EnvironmentMark, ImpactBadge } from "~/ui/marks";
import { Menu, MenuItem } from "~/ui/Menu";
import { Empty, Fault, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { whyNotActivate, type Agent } from "./Cards";
import styles from "./AgentPage.module.css";
import { AgentVersionsDocument } from "./documents";

type Version = NonNullable<AgentVersionsQuery["agent"]>["versions"]["nodes"][number];
type Diff = NonNullable<Version["diff"]>;

const wide = typeof matchMedia === "undefined" ? null : matchMedia("(min-width: 1200px)");

function subscribe(listener: () => void): () => void {
  wide?.addEventListener("change", listener);
  return () => wide?.removeEventListener("change", listener);
}

/** "Tools +1 −1 ~2": how many came, went and changed. */
export function toolsWords({ toolsAdded, toolsRemoved, toolsChanged }: Pick<Diff, "toolsAdded" | "toolsRemoved" | "toolsChanged">): string | null {
  const parts = [toolsAdded.length && `+${toolsAdded.length}`, toolsRemoved.length && `−${toolsRemoved.length}`, toolsChanged.length && `${toolsChanged.length} changed`].filter(Boolean);
  return parts.length > 0 ? `Tools ${parts.join(", ")}` : null;
}

/** The versions, newest first; from 1,200 px on with the chosen one beside them. */
export function Versions({ agent, shown, show, chosen, choose }: { agent: Agent; shown: number | null; show: (number: number) => void; chosen: readonly number[]; choose: (chosen: readonly number[]) => void }) {
  const customer = useCustomer();
  const list = usePages(AgentVersionsDocument, { agent: agent.id }, (data) => data.agent?.versions, { topics: [topic.agent(agent.id)] });
  const isWide = useSyncExternalStore(subscribe, () => wide?.matches ?? false);
  const beside = isWide ? (shown ?? list.rows[0]?.number ?? null) : null;
  if (list.error) return <Fault error={list.error} retry={list.refetch} what="the versions" />;
  if (list.first === undefined) return <Skeleton rows={8} height={44} />;
  if (list.rows.length === 0) {
    return (
      <Empty
        title="No version yet"
        action={
          whyNoVersion(agent, customer) ? (
            <Button reason={whyNoVersion(agent, customer)}>Publish version 1</Button>
          ) : (
            <Link className={buttonClass("filled")} to="/c/$customer/agents/$agent/publish" params={{ customer: customer.id, agent: agent.id }}>
              Publish version 1
            </Link>
          )
        }
      >
        A version holds the prompt, the model and the tools. It never changes; a change is the next version.
      </Empty>
    );
  }
  return (
    <div className={styles["split"]} data-beside={isWide || undefined}>
      <div className={styles["left"]}>
        {chosen.length === 2 && <CompareBar agent={agent} chosen={chosen} clear={() => choose([])} />}
        <ol className={styles["versions"]} data-rows="">
          {list.rows.map((version) => (
            <Row key={version.id} agent={agent} version={version} isShown={version.number === beside} isWide={isWide} show={show} chosen={chosen} choose={choose} />
          ))}
        </ol>
        {list.hasMore && (
          <Button onClick={list.more} busy={list.isLoadingMore}>
            Show older versions
          </Button>
        )}
      </div>
      {beside !== null && <Beside agent={agent} number={beside} />}
    </div>
  );
}

function CompareBar({ agent, chosen, clear }: { agent: Agent; chosen: readonly number[]; clear: () => void }) {
  const customer = useCustomer();
  const [from, to] = [Math.min(...chosen), Math.max(...chosen)];
  return (
    <div className={styles["compare"]}>
      <Link className={buttonClass("plain", true)} to="/c/$customer/agents/$agent/compare" params={{ customer: customer.id, agent: agent.id }} search={{ from, to }}>
        Compare {from} and {to}
      </Link>
      <kbd>c</kbd>
      <Button kind="quiet" small onClick={clear}>
        Choose none
      </Button>
    </div>
  );
}

interface RowProps {
  agent: Agent;
  version: Version;
  isShown: boolean;
  isWide: boolean;
  show: (number: number) => void;
  chosen: readonly number[];
  choose: (chosen: readonly number[]) => void;
}

function Row({ agent, version, isShown, isWide, show, chosen, choose }: RowProps) {
  const customer = useCustomer();
  const { number, message, diff, createdAt, createdBy } = version;
  const here = agent.servings.filter(({ activeVersion }) => activeVersion?.id === version.id);
  const params = { customer: customer.id, agent: agent.id, number: String(number) };
  const isChosen = chosen.includes(number);
  // The third choice takes the place of the older one of the two.
  const toggle = () => choose(isChosen ? chosen.filter((one) => one !== number) : [...chosen.slice(-1), number]);
  return (
    <li className={styles["version"]} data-row="" data-shown={isShown || undefined}>
      <input type="checkbox" className={styles["choice"]} checked={isChosen} aria-label={`Compare version ${number}`} onChange={toggle} />
      <div className={styles["versionMain"]}>
        <p className={styles["versionHead"]}>
          <Link
            className={styles["versionNumber"]}
            to="/c/$customer/agents/$agent/versions/$number"
            params={params}
            aria-current={isShown ? "true" : undefined}
            onClick={(event) => {
              if (!isWide || event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              show(number);
            }}
          >
            <span className="unseen">Version </span>
            {number}
          </Link>
          {here.map(({ environment }) => (
            <EnvironmentMark key={environment.key} environment={environment} />
          ))}
          <Impact diff={diff} number={number} />
        </p>
        {message && <p className={styles["versionMessage"]}>{message}</p>}
        <p className={styles["versionBy"]}>
          {createdBy.displayName} · <Time at={createdAt} />
        </p>
      </div>
      <Activate agent={agent} version={version} />
    </li>
  );
}

function Impact({ diff, number }: { diff: Version["diff"]; number: number }) {
  if (!diff) return number === 1 ? <span className={styles["first"]}>First version</span> : null;
  const tools = toolsWords(diff);
  return (
    <>
      <ImpactBadge impact={diff.impact} />
      {diff.modelNameChanged && diff.impact !== "MODEL" && <ImpactBadge impact="MODEL" />}
      {tools && <span className={styles["first"]}>{tools}</span>}
    </>
  );
}

/** One environment: a button. Several: a menu of them. */
function Activate({ agent, version }: { agent: Agent; version: Version }) {
  const customer = useCustomer();
  const others = agent.servings.filter(({ activeVersion }) => activeVersion?.id !== version.id);
  const [only] = others;
  const open = (environment: string) => openActivation({ kind: "activate", agentId: agent.id, environment, versionId: version.id });
  if (!only) return null;
  if (agent.servings.length === 1) {
    return (
      <Button small kind="quiet" reason={whyNotActivate(agent, only, customer)} onClick={() => open(only.environment.key)}>
        Activate…
      </Button>
    );
  }
  return (
    <Menu
      trigger={
        <Button small kind="quiet" aria-label={`Activate version ${version.number}`}>
          Activate…
        </Button>
      }
    >
      {others.map((serving) => (
        <MenuItem key={serving.environment.key} reason={whyNotActivate(agent, serving, customer)} onSelect={() => open(serving.environment.key)}>
          Serve {version.number} in {serving.environment.key}…
        </MenuItem>
      ))}
    </Menu>
  );
}

function Beside({ agent, number }: { agent: Agent; number: number }) {
  const customer = useCustomer();
  const navigate = useNavigate();
  const content = useVersion(agent.id, number);
  const [tab, setTab] = useState<(typeof VERSION_TABS)[number]>("prompt");
  const params = useMemo(() => ({ customer: customer.id, agent: agent.id }), [customer.id, agent.id]);
  const version = content.data;
  return (
    <section className={styles["beside"]} aria-label={`Version ${number}`}>
      <header className={styles["besideHead"]}>
        <h2>Version {number}</h2>
        <span className={styles["besideButtons"]}>
          {number > 1 && (
            <Link className={buttonClass("quiet", true)} to="/c/$customer/agents/$agent/compare" params={params} search={{ from: number - 1, to: number }}>
              Compare with {number - 1}
            </Link>
          )}
          <Button small kind="quiet" reason={whyNoVersion(agent, customer)} onClick={() => void navigate({ to: "/c/$customer/agents/$agent/publish", params, search: { from: number } })}>
            New version from {number}
          </Button>
          <Link className={buttonClass("quiet", true)} to="/c/$customer/agents/$agent/versions/$number" params={{ ...params, number: String(number) }}>
            Open
          </Link>
        </span>
      </header>
      {version ? <VersionView version={version} tab={tab} onTab={setTab} /> : content.error ? <Fault error={content.error} retry={() => void content.refetch()} what="this version" /> : <Skeleton rows={10} />}
    </section>
  );
}
