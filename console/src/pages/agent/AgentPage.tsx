import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import type { Action } from "~/frame/actions";
import { Page } from "~/frame/Page";
import { useCustomer } from "~/frame/scope";
import { ArchiveAgent, ChangeAgent, RestoreAgent } from "~/pages/agents/AgentDialogs";
import { whyNoVersion } from "~/pages/version/VersionPage";
import { Button } from "~/ui/Button";
import { Badge } from "~/ui/marks";
import { Data, Gone, Skeleton } from "~/ui/states";
import { Tabs } from "~/ui/Tabs";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { Activity } from "./Activity";
import styles from "./AgentPage.module.css";
import { Cards, type Agent } from "./Cards";
import { AgentDocument } from "./documents";
import type { AgentSearch } from "./search";
import { UseIt } from "./UseIt";
import { Versions } from "./Versions";

type Asked = "change" | "archive" | "restore" | null;

export default function AgentPage() {
  const { agent: agentId } = useParams({ from: "/frame/c/$customer/agents/$agent" });
  const search = useSearch({ from: "/frame/c/$customer/agents/$agent" });
  const customer = useCustomer();
  const navigate = useNavigate();
  const query = useData(AgentDocument, { agent: agentId }, { topics: [topic.agent(agentId)] });
  const agent = query.data?.agent ?? null;
  const [asked, setAsked] = useState<Asked>(null);
  const [chosen, choose] = useState<readonly number[]>([]);
  const change = (next: AgentSearch) => void navigate({ to: "/c/$customer/agents/$agent", params: { customer: customer.id, agent: agentId }, search: { ...search, ...next }, replace: true });
  const actions = useActions(agent, chosen, setAsked);
  return (
    <Page
      title={agent?.name ?? "Agent"}
      beside={agent && <Beside agent={agent} />}
      actions={actions}
      crumbs={[{ label: "Agents", to: { to: "/c/$customer/agents", params: { customer: customer.id } } }, { label: agent?.name ?? "Agent" }]}
    >
      <Data query={query} what="this agent" skeleton={<Skeleton rows={10} height={32} />}>
        {(data) =>
          data.agent ? (
            <div className={styles["page"]}>
              {data.agent.archivedAt && <Archived agent={data.agent} restore={() => setAsked("restore")} />}
              {data.agent.description && <p className={styles["description"]}>{data.agent.description}</p>}
              <Cards agent={data.agent} />
              <Tabs
                label="About this agent"
                value={search.tab ?? "versions"}
                onChange={(tab) => change({ tab: tab === "versions" ? undefined : (tab as AgentSearch["tab"]) })}
                tabs={[
                  {
                    key: "versions",
                    label: data.agent.latestVersion ? `Versions (${data.agent.latestVersion.number})` : "Versions",
                    content: <Versions agent={data.agent} shown={search.version ?? null} show={(version) => change({ version })} chosen={chosen} choose={choose} />,
                  },
                  { key: "activity", label: "Activity", content: <Activity agent={data.agent} /> },
                  { key: "use", label: "Use it", content: <UseIt agent={data.agent} /> },
                ]}
              />
            </div>
          ) : (
            <Gone what="agent" />
          )
        }
      </Data>
      {agent && asked === "change" && <ChangeAgent agent={agent} onClose={() => setAsked(null)} />}
      {agent && asked === "archive" && <ArchiveAgent agent={agent} serving={agent.servings.filter(({ activeVersion }) => activeVersion).map(({ environment }) => environment.key)} onClose={() => setAsked(null)} />}
      {agent && asked === "restore" && <RestoreAgent agent={agent} onClose={() => setAsked(null)} />}
    </Page>
  );
}

function Beside({ agent: { owner, archivedAt } }: { agent: Agent }) {
  return (
    <>
      {owner ? `owner ${owner.name ?? owner.email ?? "without a name"}` : "no owner"}
      {archivedAt && (
        <>
          {" "}
          <Badge>Archived</Badge>
        </>
      )}
    </>
  );
}

function Archived({ agent, restore }: { agent: Agent; restore: () => void }) {
  const customer = useCustomer();
  return (
    <div className={styles["archived"]}>
      <span>Archived {agent.archivedAt && <Time at={agent.archivedAt} />}. It serves nothing, and takes no versions and no activations.</span>
      <Button small reason={customer.why("WRITE_AGENTS")} onClick={restore}>
        Restore…
      </Button>
    </div>
  );
}

function useActions(agent: Agent | null, chosen: readonly number[], ask: (asked: Asked) => void): Action[] {
  const customer = useCustomer();
  const navigate = useNavigate();
  return useMemo(() => {
    if (!agent) return [];
    const params = { customer: customer.id, agent: agent.id };
    const mayWrite = agent.viewerPermissions.includes("WRITE_AGENTS") ? null : agent.archivedAt ? "The agent is archived: restore it first" : (customer.why("WRITE_AGENTS") ?? "Needs an editor");
    const compare: Action[] =
      chosen.length === 2
        ? [{ label: `Compare ${Math.min(...chosen)} and ${Math.max(...chosen)}`, shortcut: "c", inMenu: true, icon: "compare", onSelect: () => void navigate({ to: "/c/$customer/agents/$agent/compare", params, search: { from: Math.min(...chosen), to: Math.max(...chosen) } }) }]
        : [];
    const rest: Action[] = [
      { label: "Name, purpose and owner…", icon: "settings", inMenu: true, reason: mayWrite, onSelect: () => ask("change") },
      {
        label: "Copy id",
        icon: "copy",
        inMenu: true,
        onSelect: () => {
          navigator.clipboard.writeText(agent.id).then(
            () => toast(`Copied the id of ${agent.name}.`),
            () => toast("The browser doesn’t let this page copy.", "bad"),
          );
        },
      },
      ...compare,
      agent.archivedAt
        ? { label: "Restore…", inMenu: true, reason: customer.why("WRITE_AGENTS"), onSelect: () => ask("restore") }
        : { label: "Archive…", kind: "danger", inMenu: true, reason: mayWrite, onSelect: () => ask("archive") },
    ];
    const create: Action = { label: "New version", kind: "filled", icon: "add", shortcut: "n", reason: whyNoVersion(agent, customer), onSelect: () => void navigate({ to: "/c/$customer/agents/$agent/publish", params }) };
    return [...rest, create];
  }, [agent, chosen, customer, navigate, ask]);
}
