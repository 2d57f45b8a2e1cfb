import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { VersionContentFragment, VersionPlaceQuery } from "~/__generated__/graphql";
import { openActivation } from "~/activation";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import type { Action } from "~/frame/actions";
import { Page } from "~/frame/Page";
import { useCustomer, type CustomerScope } from "~/frame/scope";
import { EnvironmentMark } from "~/ui/marks";
import { Fault, Gone, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { copiesOf, type Copies } from "./content";
import { VersionPlaceDocument } from "./documents";
import { useVersion } from "./useVersion";
import { VersionView } from "./VersionView";
import styles from "./Version.module.css";

type Place = NonNullable<VersionPlaceQuery["agent"]>;

export default function VersionPage() {
  const { agent: agentId, number: text } = useParams({ from: "/frame/c/$customer/agents/$agent/versions/$number" });
  const { tab = "prompt" } = useSearch({ from: "/frame/c/$customer/agents/$agent/versions/$number" });
  const customer = useCustomer();
  const navigate = useNavigate();
  const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
  const content = useVersion(agentId, number);
  const place = useData(VersionPlaceDocument, { agent: agentId }, { topics: [topic.agent(agentId)] });
  const agent = place.data?.agent ?? null;
  const version = content.data ?? null;
  const actions = useActions(agent, version, number ?? 0);
  const here = { customer: customer.id, agent: agentId };
  const name = agent?.name ?? "Agent";
  return (
    <Page
      title={`${text} · ${name}`}
      heading={`Version ${text}`}
      beside={version && agent && <Beside version={version} agent={agent} />}
      actions={actions}
      crumbs={[
        { label: "Agents", to: { to: "/c/$customer/agents", params: { customer: customer.id } } },
        { label: name, to: { to: "/c/$customer/agents/$agent", params: here } },
        {
          label: `Version ${text}`,
          siblings: agent?.versions.nodes.map((one) => ({
            label: one.message ? `${one.number} · ${one.message}` : `${one.number}`,
            to: { to: "/c/$customer/agents/$agent/versions/$number", params: { ...here, number: String(one.number) }, search: { tab } },
          })),
        },
      ]}
    >
      {number === null || content.data === null ? (
        <Gone what="version" />
      ) : version ? (
        <VersionView
          version={version}
          tab={tab}
          onTab={(next) => void navigate({ to: "/c/$customer/agents/$agent/versions/$number", params: { ...here, number: text }, search: { tab: next }, replace: true })}
        />
      ) : content.error ? (
        <Fault error={content.error} retry={() => void content.refetch()} what="this version" />
      ) : (
        <Skeleton rows={12} />
      )}
    </Page>
  );
}

function Beside({ version, agent }: { version: VersionContentFragment; agent: Place }) {
  const here = agent.servings.filter(({ activeVersion }) => activeVersion?.id === version.id);
  return (
    <span className={styles["beside"]}>
      {version.message && <span className={styles["message"]}>“{version.message}”</span>}
      <span>
        {version.createdBy.displayName}, <Time at={version.createdAt} />
      </span>
      {here.length > 0 && (
        <span className={styles["beside"]}>
          serves in {here.map(({ environment }) => <EnvironmentMark key={environment.key} environment={environment} />)}
        </span>
      )}
    </span>
  );
}

const COPIES: [key: keyof Copies, label: string, what: string][] = [
  ["json", "Copy as JSON", "content as JSON"],
  ["graphql", "Copy as GraphQL", "mutation"],
  ["curl", "Copy as cURL", "command"],
  ["rest", "Copy as REST", "command"],
];

/** Why an agent takes no new version; null if it does. */
export function whyNoVersion(agent: { archivedAt?: string | null; viewerPermissions: readonly string[] }, customer: CustomerScope): string | null {
  if (agent.viewerPermissions.includes("PUBLISH_VERSIONS")) return null;
  return agent.archivedAt ? "The agent is archived: restore it first" : (customer.why("PUBLISH_VERSIONS") ?? "Needs an editor");
}

function useActions(agent: Place | null, version: VersionContentFragment | null, number: number): Action[] {
  const customer = useCustomer();
  const navigate = useNavigate();
  return useMemo(() => {
    if (!agent || !version) return [];
    const params = { customer: customer.id, agent: agent.id };
    const copy = (key: keyof Copies, what: string) => {
      navigator.clipboard.writeText(copiesOf(agent.id, version, location.origin)[key]).then(
        () => toast(`Copied the ${what}.`),
        () => toast("The browser doesn’t let this page copy.", "bad"),
      );
    };
    const copies = COPIES.map(([key, label, what]): Action => ({ label, icon: "copy", inMenu: true, onSelect: () => copy(key, what) }));
    const elsewhere = agent.servings.filter(({ activeVersion }) => activeVersion?.id !== version.id);
    const serve = elsewhere.map(({ environment, viewerPermissions }): Action => ({
      label: `Serve ${version.number} in ${environment.key}…`,
      reason: viewerPermissions.includes("ACTIVATE_VERSIONS") ? null : agent.archivedAt ? "The agent is archived" : (customer.why("ACTIVATE_VERSIONS") ?? `${environment.key} needs an admin`),
      onSelect: () => openActivation({ kind: "activate", agentId: agent.id, environment: environment.key, versionId: version.id }),
      // With many environments the default one stays a button.
      inMenu: elsewhere.length > 2 && !environment.isDefault,
    }));
    const others: Action[] = number > 1 ? [{ label: `Compare with ${number - 1}`, icon: "compare", shortcut: "c", onSelect: () => void navigate({ to: "/c/$customer/agents/$agent/compare", params, search: { from: number - 1, to: number } }) }] : [];
    return [
      ...copies,
      ...others,
      ...serve,
      { label: `New version from ${number}`, kind: "filled", icon: "add", shortcut: "n", reason: whyNoVersion(agent, customer), onSelect: () => void navigate({ to: "/c/$customer/agents/$agent/publish", params, search: { from: number } }) },
    ];
  }, [agent, version, number, customer, navigate]);
}
