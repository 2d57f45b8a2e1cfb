import { Link, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer, type CustomerScope } from "~/frame/scope";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { EnvironmentMark } from "~/ui/marks";
import { Menu, MenuItem } from "~/ui/Menu";
import { Data, Skeleton } from "~/ui/states";
import { Time } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { count } from "~/words";
import { ArchiveEnvironmentDocument, EnvironmentsDocument, EnvironmentServingDocument, RestoreEnvironmentDocument } from "./documents";
import styles from "./EnvironmentsPage.module.css";
import { inOrder, sentencesOf, type Environment } from "./rules";
import { CreateDialog, EditDialog, Sentences } from "./RulesDialog";

type Open = { kind: "create" } | { kind: "edit" | "archive" | "restore"; environment: Environment };

export default function EnvironmentsPage() {
  const { customer: id } = useParams({ from: "/frame/c/$customer/environments" });
  const customer = useCustomer();
  const [open, setOpen] = useState<Open | null>(null);
  const query = useData(EnvironmentsDocument, { customer: id }, { topics: [topic.environments(id)] });
  const quota = query.data?.customer?.usage?.environments;
  const why = customer.why("MANAGE_ENVIRONMENTS") ?? (quota && quota.used >= quota.limit ? `The plan has ${count(quota.limit, "environment")}, and all are in use` : null);
  const actions = useMemo(
    () => [{ label: "Create an environment…", icon: "add" as const, kind: "filled" as const, reason: why, shortcut: "n", onSelect: () => setOpen({ kind: "create" }) }],
    [why],
  );
  return (
    <Page title="Environments" actions={actions}>
      <p className={styles["lead"]}>
        Each environment serves one version of each agent, by rules of its own. {quota && `${quota.used} of ${quota.limit} of the plan.`}
      </p>
      <Data query={query} what="environments" skeleton={<Skeleton rows={3} height={140} />}>
        {(data) => <List customer={customer} environments={data.customer?.environments ?? []} open={open} setOpen={setOpen} />}
      </Data>
    </Page>
  );
}

function List({ customer, environments, open, setOpen }: { customer: CustomerScope; environments: readonly Environment[]; open: Open | null; setOpen: (open: Open | null) => void }) {
  const { present, archived } = useMemo(() => inOrder(environments), [environments]);
  const close = () => setOpen(null);
  return (
    <>
      <div className={styles["cards"]}>
        {present.map((environment) => (
          <Card key={environment.id} customer={customer} environment={environment} setOpen={setOpen} />
        ))}
      </div>
      {archived.length > 0 && (
        <section className={styles["archived"]}>
          <h2>Archived</h2>
          <ul>
            {archived.map((environment) => (
              <li key={environment.id}>
                <span>
                  <EnvironmentMark environment={environment} /> {hasOtherName(environment) && <span className="muted">{environment.name}</span>}
                </span>
                <span className="muted">{environment.archivedAt && <Time at={environment.archivedAt} />}</span>
                <Button small icon="undo" reason={customer.why("MANAGE_ENVIRONMENTS")} onClick={() => setOpen({ kind: "restore", environment })}>
                  Restore {environment.key}…
                </Button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {open?.kind === "create" && <CreateDialog customerId={customer.id} others={present} onClose={close} />}
      {open?.kind === "edit" && <EditDialog customerId={customer.id} environment={open.environment} others={present.filter(({ id }) => id !== open.environment.id)} onClose={close} />}
      {open?.kind === "archive" && <Archive customer={customer} environment={open.environment} onClose={close} />}
      {open?.kind === "restore" && <Restore customer={customer} environment={open.environment} onClose={close} />}
    </>
  );
}

function Card({ customer, environment, setOpen }: { customer: CustomerScope; environment: Environment; setOpen: (open: Open) => void }) {
  const why = customer.why("MANAGE_ENVIRONMENTS");
  return (
    <article className={styles["card"]} data-default={environment.isDefault || undefined} aria-label={environment.key}>
      <header>
        <h2>
          <EnvironmentMark environment={environment} />
        </h2>
        {hasOtherName(environment) && <span className="muted">{environment.name}</span>}
        <span className={styles["menu"]}>
          <Menu
            trigger={
              <Button small kind="quiet" icon="more" iconOnly>
                More for {environment.key}
              </Button>
            }
          >
            <MenuItem icon="bad" danger reason={environment.isDefault ? "production is the default for ever" : why} onSelect={() => setOpen({ kind: "archive", environment })}>
              Archive {environment.key}…
            </MenuItem>
          </Menu>
        </span>
      </header>
      <Sentences sentences={sentencesOf(environment)} />
      <footer>
        <Button small icon="settings" reason={why} onClick={() => setOpen({ kind: "edit", environment })}>
          Change the rules…
        </Button>
        <Link className={styles["link"]} to="/c/$customer/agents" params={{ customer: customer.id }} search={{ environment: environment.key, serving: "yes" }}>
          What serves there
        </Link>
      </footer>
    </article>
  );
}

function Archive({ customer, environment, onClose }: { customer: CustomerScope; environment: Environment; onClose: () => void }) {
  const write = useSubmit(ArchiveEnvironmentDocument, (data) => data.archiveEnvironment, [topic.environments(customer.id)]);
  const serving = useData(EnvironmentServingDocument, { customer: customer.id, environment: environment.key }, { topics: [topic.agents(customer.id)] });
  const number = serving.data?.customer?.agents.totalCount;
  const archive = async () => {
    if (!(await write.submit({ environmentId: environment.id }))) return;
    toast(`${environment.key} is archived.`);
    onClose();
  };
  return (
    <Confirm
      title={`Archive ${environment.key}?`}
      action={`Archive ${environment.key}`}
      keep={`Keep ${environment.key}`}
      reason={number === undefined ? (serving.error ? null : "Looking at what serves there") : number > 0 ? `${count(number, "agent")} ${number === 1 ? "serves" : "serve"} there` : null}
      state={write}
      what={`${environment.key} was archived`}
      onConfirm={() => void archive()}
      onClose={onClose}
    >
      <p>Nothing can be activated there, and it no longer stands beside the others. Its history and its key stay, so it can be restored.</p>
      {number !== undefined && number > 0 && (
        <p className={styles["note"]}>
          <Link to="/c/$customer/agents" params={{ customer: customer.id }} search={{ environment: environment.key, serving: "yes" }}>
            {count(number, "agent")}
          </Link>{" "}
          {number === 1 ? "serves" : "serve"} there. Stop serving first.
        </p>
      )}
    </Confirm>
  );
}

function Restore({ customer, environment, onClose }: { customer: CustomerScope; environment: Environment; onClose: () => void }) {
  const write = useSubmit(RestoreEnvironmentDocument, (data) => data.restoreEnvironment, [topic.environments(customer.id)]);
  const restore = async () => {
    if (!(await write.submit({ environmentId: environment.id }))) return;
    toast(`${environment.key} is back.`);
    onClose();
  };
  return (
    <Confirm title={`Restore ${environment.key}?`} action={`Restore ${environment.key}`} state={write} what={`${environment.key} was restored`} onConfirm={() => void restore()} onClose={onClose}>
      <p>It stands beside the others again, with the rules that it had. Nothing serves there until a version is activated.</p>
      <Sentences sentences={sentencesOf(environment)} />
    </Confirm>
  );
}

/** Whether the name says more than the key. */
function hasOtherName({ key, name }: { key: string; name: string }): boolean {
  return name.toLowerCase() !== key;
}
