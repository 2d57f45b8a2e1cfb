import { Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { asGraphQL } from "~/api/format";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { Page } from "~/frame/Page";
import { useViewer, type Viewer } from "~/frame/scope";
import { preferences } from "~/preferences";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { Form, TextField } from "~/ui/Form";
import { Icon } from "~/ui/Icon";
import { Outcome } from "~/ui/Outcome";
import { Command, Data, Empty, Fault } from "~/ui/states";
import { CreateFirstCustomerDocument, FirstCustomerDocument } from "./documents";
import styles from "./HomePage.module.css";
import { loadSample, SAMPLE_STEPS, type SampleStep } from "./sample";

/** `/`: leads to the customer that was looked at last; to the three doors while there is none. */
export default function HomePage() {
  const viewer = useViewer();
  const { doors } = useSearch({ from: "/frame/" });
  const sample = useSample();
  // Before all else: the sample data's customer is the first one, to which this page would lead at once.
  if (sample.isStarted) return <Loading sample={sample} />;
  return <Way viewer={viewer} doors={doors} load={sample.load} />;
}

function Way({ viewer, doors, load }: { viewer: Viewer; doors: boolean | undefined; load: () => void }) {
  const own = viewer.memberships.flatMap(({ customer }) => (customer ? [customer.id] : []));
  const recent = preferences.recent();
  if (doors && viewer.isOperator) return <Doors viewer={viewer} hasCustomers load={load} />;
  const last = recent.find((id) => viewer.isOperator || own.includes(id)) ?? own[0];
  if (last) return <Navigate to="/c/$customer" params={{ customer: last }} replace />;
  return viewer.isOperator ? <FirstCustomer viewer={viewer} load={load} /> : <Nowhere viewer={viewer} />;
}

function FirstCustomer({ viewer, load }: { viewer: Viewer; load: () => void }) {
  const query = useData(FirstCustomerDocument, {}, { topics: ["customers"] });
  return (
    <Data query={query} what="customers">
      {({ customers }) => {
        const first = customers.nodes[0];
        return first ? <Navigate to="/c/$customer" params={{ customer: first.id }} replace /> : <Doors viewer={viewer} hasCustomers={false} load={load} />;
      }}
    </Data>
  );
}

function Nowhere({ viewer }: { viewer: Viewer }) {
  return (
    <Page title="Welcome">
      <Empty title="You aren’t a member of any customer yet">
        You are signed in as {viewer.displayName}. An admin of your organisation can invite you, and sends you a link.
      </Empty>
    </Page>
  );
}

interface Sample {
  isStarted: boolean;
  steps: readonly SampleStep[];
  failure: unknown;
  /** The customer's id, when all is made. */
  made: string | null;
  load: () => void;
}

/** The sample data while it is made. */
function useSample(): Sample {
  const [steps, setSteps] = useState<SampleStep[]>([]);
  const [failure, setFailure] = useState<unknown>(null);
  const [isStarted, setStarted] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const load = async () => {
    setStarted(true);
    setSteps([]);
    setFailure(null);
    try {
      setMade(await loadSample((step) => setSteps((done) => [...done, step])));
    } catch (error) {
      setFailure(error);
    }
  };
  return { isStarted, steps, failure, made, load: () => void load() };
}

/** The first five minutes of an operator. */
function Doors({ viewer, hasCustomers, load }: { viewer: Viewer; hasCustomers: boolean; load: () => void }) {
  const mayCreate = viewer.platformPermissions.includes("CREATE_CUSTOMER");
  return (
    <Page title="Welcome" crumbs={[{ label: "Welcome" }]}>
      <p className={styles["intro"]}>
        {hasCustomers ? "" : "This registry has no customer yet. "}A customer has agents; an agent has versions that never change; one version serves in each
        environment, and gateways receive it within a moment.
      </p>
      <div className={styles["doors"]}>
        <section className={styles["door"]}>
          <Icon name="agent" size={24} />
          <h2>Load sample data</h2>
          <p>Makes “Sample City” with a staging environment, three agents of three versions, and one rollback. It takes a few seconds, shows each mutation, and can be deleted as a whole.</p>
          <Button kind="filled" onClick={load} reason={!mayCreate && "Needs an operator"}>
            Load sample data
          </Button>
        </section>
        <section className={styles["door"]}>
          <Icon name="customer" size={24} />
          <h2>Create a customer</h2>
          <p>Begins empty, with the environment production. You can invite its people afterwards.</p>
          <CreateCustomer reason={!mayCreate && "Needs an operator"} />
        </section>
        <section className={styles["door"]}>
          <Icon name="file" size={24} />
          <h2>Import a file</h2>
          <p>Agents with all their versions, one agent a line. Create the customer first, then open Import from its list of agents; or on the command line:</p>
          <Command text="agent-registry import agents.jsonl --customer ID" />
        </section>
      </div>
    </Page>
  );
}

function CreateCustomer({ reason }: { reason: string | false }) {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const create = useSubmit(CreateFirstCustomerDocument, (data) => data.createCustomer, ["customers"]);
  const submit = async () => {
    const payload = await create.submit({ name });
    if (payload?.customer) void navigate({ to: "/c/$customer", params: { customer: payload.customer.id } });
  };
  return (
    <Form label="Create a customer" errors={create.errors} onSubmit={() => void submit()} className={styles["form"]}>
      <TextField name="name" label="Name" value={name} maxLength={200} onChange={({ target }) => setName(target.value)} placeholder="City of Springfield" />
      <Outcome state={create} what="the customer was created" inForm />
      <div>
        <Button type="submit" busy={create.isBusy} reason={reason}>
          Create customer
        </Button>
      </div>
    </Form>
  );
}

/** Each mutation, ticked off. */
function Loading({ sample: { steps, failure, made, load } }: { sample: Sample }) {
  const navigate = useNavigate();
  return (
    <Page title="Sample data">
      {failure ? <Fault error={failure} retry={load} what="the sample data" /> : null}
      <div className={styles["steps"]}>
        <div className={styles["bar"]} role="status">
          {made ? "Sample City is there." : `${steps.length} of ${SAMPLE_STEPS} done`}
          <progress max={SAMPLE_STEPS} value={steps.length} aria-label="Mutations done" />
          {made && (
            <p>
              <Button kind="filled" onClick={() => void navigate({ to: "/c/$customer", params: { customer: made } })}>
                Open Sample City
              </Button>
            </p>
          )}
        </div>
        <ol>
          {steps.map(({ words, document, variables }) => (
            <li key={words} className={styles["step"]}>
              <Icon name="check" />
              <span>{words}</span>
              <CopyButton text={asGraphQL(document, variables)} what="mutation" label="Copy as GraphQL" quiet />
            </li>
          ))}
        </ol>
      </div>
    </Page>
  );
}
