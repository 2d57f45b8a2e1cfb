import { useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useData } from "~/api/query";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer } from "~/frame/scope";
import { useVersion } from "~/pages/version/useVersion";
import { Fault, Gone, Skeleton } from "~/ui/states";
import { PublishPlaceDocument } from "./documents";
import { PublishForm } from "./PublishForm";

/** Where a version is written. Nothing is stored before it is published. */
export default function PublishPage() {
  const { agent: agentId } = useParams({ from: "/frame/c/$customer/agents/$agent/publish" });
  const search = useSearch({ from: "/frame/c/$customer/agents/$agent/publish" });
  const customer = useCustomer();
  const query = useData(PublishPlaceDocument, { agent: agentId }, { topics: [topic.agent(agentId)] });
  const agent = query.data?.agent ?? null;
  // What the page starts from is decided once: a version that is published meanwhile changes nothing that was typed.
  const [start, setStart] = useState<{ from: number | null; latest: number } | null>(null);
  if (agent && !start) setStart({ from: search.from ?? agent.latestVersion?.number ?? null, latest: agent.latestVersion?.number ?? 0 });
  const base = useVersion(agentId, start?.from ?? null);
  const name = agent?.name ?? "Agent";
  const number = (agent?.latestVersion?.number ?? 0) + 1;
  const isReady = agent && start && (start.from === null || base.data !== undefined);
  return (
    <Page
      title={`New version · ${name}`}
      heading={agent ? `Version ${number}` : "New version"}
      beside={start?.from ? `${name}, starting from ${start.from}` : name}
      crumbs={[
        { label: "Agents", to: { to: "/c/$customer/agents", params: { customer: customer.id } } },
        { label: name, to: { to: "/c/$customer/agents/$agent", params: { customer: customer.id, agent: agentId } } },
        { label: "New version" },
      ]}
    >
      {query.data && !agent ? (
        <Gone what="agent" />
      ) : (start?.from ?? null) !== null && base.data === null ? (
        <Gone what="version" />
      ) : isReady ? (
        <PublishForm key={start.from ?? 0} agent={agent} base={base.data ?? null} latest={start.latest} startFrom={(from) => setStart({ from, latest: from })} />
      ) : (query.error ?? base.error) ? (
        <Fault error={query.error ?? base.error} retry={() => void (query.error ? query.refetch() : base.refetch())} what="this agent" />
      ) : (
        <Skeleton rows={12} />
      )}
    </Page>
  );
}
