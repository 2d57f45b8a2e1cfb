// What an entry says: "rolled back Permit helper 15 → 13".
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { AuditEntryFragment } from "~/__generated__/graphql";
import { EnvironmentMark, ShortId } from "~/ui/marks";
import { actionVerb, reasonVerb } from "~/words";
import { valueText } from "./fields";

type Entry = AuditEntryFragment;

function Agent({ entry, customer, version }: { entry: Entry; customer: string; version?: number | null }) {
  const { agent, agentId } = entry;
  if (!agent) return agentId ? <ShortId id={agentId} name="the agent" /> : null;
  const params = { customer, agent: agent.id };
  return version ? (
    <Link to="/c/$customer/agents/$agent/versions/$number" params={{ ...params, number: String(version) }}>
      {agent.name} {version}
    </Link>
  ) : (
    <Link to="/c/$customer/agents/$agent" params={params}>
      {agent.name}
    </Link>
  );
}

function subjectName({ subject }: Entry): string | null {
  if (!subject) return null;
  if ("name" in subject) return subject.name;
  if ("email" in subject) return subject.email;
  if ("personName" in subject) return subject.personName ?? subject.personEmail ?? null;
  return null;
}

function after(entry: Entry, path: string): string | null {
  const found = entry.fieldChanges.find((one) => one.path.join(".") === path);
  return found && found.after !== null && found.after !== undefined ? valueText(found.path, found.after) : null;
}

/** The sentence without its subject, who stands beside it. */
export function Sentence({ entry, customer }: { entry: Entry; customer: string }): ReactNode {
  const { action, subject, environment } = entry;
  const verb = actionVerb(action);
  const name = subjectName(entry);
  // Most actions have one form of sentence, also those of a service that is newer than this page.
  switch (action as string) {
    case "AGENT_ACTIVATED":
    case "AGENT_DEACTIVATED": {
      const activation = subject?.__typename === "Activation" ? subject : null;
      const previous = activation?.previousVersion?.number;
      const next = activation?.version?.number ?? entry.version?.number;
      return (
        <>
          {activation ? reasonVerb(activation.reason) : verb} <Agent entry={entry} customer={customer} />{" "}
          <span className="number">
            {previous ? `${previous} → ` : ""}
            {next ?? (previous ? "nothing" : "")}
          </span>
        </>
      );
    }
    case "VERSION_PUBLISHED":
      return (
        <>
          {verb} <Agent entry={entry} customer={customer} version={entry.version?.number} />
        </>
      );
    case "MEMBER_SET": {
      const role = after(entry, "role");
      return (
        <>
          made {name ? <b>{name}</b> : "somebody"} {role ? `a member with the role ${role}` : "a member"}
        </>
      );
    }
    case "MEMBER_REMOVED":
      return (
        <>
          removed {name ? <b>{name}</b> : "a member"}
        </>
      );
    case "INVITATION_CREATED": {
      const role = after(entry, "role");
      return (
        <>
          invited {name ? <b>{name}</b> : "somebody"} {role && `as ${role}`}
        </>
      );
    }
    case "CUSTOMER_PLAN_SET":
      return `set the plan to ${after(entry, "plan") ?? "another one"}`;
    case "CUSTOMER_BILLING_SET":
      return `set the billing status to ${after(entry, "billing.status") ?? "another one"}`;
    default:
      if (entry.agentId) {
        return (
          <>
            {verb} <Agent entry={entry} customer={customer} />
          </>
        );
      }
      if (environment) {
        return (
          <>
            {verb} <EnvironmentMark environment={environment} />
          </>
        );
      }
      return (
        <>
          {verb} {name && <b>{name}</b>}
        </>
      );
  }
}
