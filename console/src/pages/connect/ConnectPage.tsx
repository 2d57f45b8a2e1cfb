import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { topic } from "~/api/topics";
import { Page } from "~/frame/Page";
import { useCustomer, useViewer } from "~/frame/scope";
import { Button, buttonClass } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { Form, SelectField } from "~/ui/Form";
import { Icon } from "~/ui/Icon";
import { EnvironmentMark } from "~/ui/marks";
import { Outcome } from "~/ui/Outcome";
import { SecretDialog } from "~/ui/Secret";
import { Data } from "~/ui/states";
import { Tabs } from "~/ui/Tabs";
import { count } from "~/words";
import { ConnectDocument, MakeGatewayKeyDocument, ReportsDocument } from "./documents";
import styles from "./ConnectPage.module.css";
import { RECIPES } from "./recipes";

/** One click makes a key; a block says what to run; the page waits for the first report. */
export default function ConnectPage() {
  const customer = useCustomer();
  const { environment: wanted } = useSearch({ from: "/frame/c/$customer/connect" });
  const navigate = useNavigate();
  const environment = customer.environments.find(({ key }) => key === wanted)?.key ?? customer.environments.find(({ isDefault }) => isDefault)?.key ?? "production";
  const [agents, setAgents] = useState<string[]>([]);
  const [recipe, setRecipe] = useState("sidecar");
  const query = useData(ConnectDocument, { customer: customer.id }, { topics: [topic.agents(customer.id)] });
  const options = { origin: location.origin, environment, customer: customer.id, agents };
  const toggle = (id: string) => setAgents((chosen) => (chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]));
  return (
    <Page title="Connect a gateway">
      <div className={styles["page"]}>
        <section className={styles["section"]} aria-labelledby="what">
          <h2 id="what">1. What it serves</h2>
          <div className={styles["fields"]}>
            <Form label="What the gateway serves" onSubmit={() => undefined}>
              <SelectField
                name="environment"
                label="Environment"
                value={environment}
                onChange={({ target }) => void navigate({ to: "/c/$customer/connect", params: { customer: customer.id }, search: { environment: target.value }, replace: true })}
              >
                {customer.environments.map(({ key, name }) => (
                  <option key={key} value={key}>
                    {key === name.toLowerCase() ? key : `${key} (${name})`}
                  </option>
                ))}
              </SelectField>
            </Form>
          </div>
          <Data query={query} what="agents">
            {({ customer: found }) => {
              const all = found?.agents;
              if (!all || all.totalCount === 0) return <p className="muted">There is no agent yet. The gateway receives each as soon as a version of it is activated.</p>;
              return (
                <fieldset className={styles["section"]}>
                  <legend className="unseen">Agents</legend>
                  <div className={styles["agents"]}>
                    <label>
                      <input type="checkbox" checked={agents.length === 0} onChange={() => setAgents([])} />
                      <b>All {count(all.totalCount, "agent")}, and later ones</b>
                    </label>
                    {all.nodes.map(({ id, name }) => (
                      <label key={id}>
                        <input type="checkbox" checked={agents.includes(id)} onChange={() => toggle(id)} />
                        {name}
                      </label>
                    ))}
                  </div>
                </fieldset>
              );
            }}
          </Data>
        </section>
        <MakeKey environment={environment} />
        <section className={styles["section"]} aria-labelledby="run">
          <h2 id="run">3. What to run</h2>
          <Tabs
            label="Ways to connect"
            value={recipe}
            onChange={setRecipe}
            tabs={RECIPES.map(({ key, label, words, code }) => ({
              key,
              label,
              content: (
                <div className={styles["code"]}>
                  <div className={styles["copy"]}>
                    <span>{words}</span>
                    <CopyButton text={code(options)} what={label} label="Copy" quiet />
                  </div>
                  <pre tabIndex={0} aria-label={`What to run: ${label}`}>
                    {code(options)}
                  </pre>
                </div>
              ),
            }))}
          />
        </section>
        <Waiting environment={environment} />
      </div>
    </Page>
  );
}

function MakeKey({ environment }: { environment: string }) {
  const customer = useCustomer();
  const make = useSubmit(MakeGatewayKeyDocument, (data) => data.createApiKey, [topic.keys(customer.id)]);
  const [secret, setSecret] = useState<{ secret: string | null } | null>(null);
  const name = `gateway ${environment}`;
  const create = async () => {
    const payload = await make.submit({ customerId: customer.id, name, scopes: ["CONFIGS_READ", "ACTIVATIONS_WATCH"], environments: [environment] });
    if (payload) setSecret({ secret: payload.secret ?? null });
  };
  return (
    <section className={styles["section"]} aria-labelledby="key">
      <h2 id="key">2. Its key</h2>
      <p className="muted">It reads configurations of {environment} at {customer.name}, and nothing else.</p>
      <Outcome state={make} what="the key was made" />
      <div>
        <Button kind="filled" icon="key" busy={make.isBusy} reason={customer.why("MANAGE_KEYS")} onClick={() => void create()}>
          Make a key for {environment}
        </Button>
      </div>
      {secret && (
        <SecretDialog title={`The key “${name}”`} secret={secret.secret} onClose={() => setSecret(null)}>
          <p className="muted">
            Put it into the environment variable <code>REGISTRY_TOKEN</code> where the gateway runs. The Keys page rotates and revokes it.
          </p>
        </SecretDialog>
      )}
    </section>
  );
}

/** Becomes "gw-1 serves 3 agents" by itself. */
function Waiting({ environment }: { environment: string }) {
  const customer = useCustomer();
  const { isOperator } = useViewer();
  const query = useData(ReportsDocument, { customer: customer.id, environment, isOperator }, { every: 3000, keep: true, topics: [topic.agents(customer.id)] });
  const found = query.data?.customer?.environments.find(({ key }) => key === environment)?.convergence;
  const number = found?.gateways ?? 0;
  const serving = query.data?.agents.totalCount ?? 0;
  const newest = [...(query.data?.gateways?.nodes ?? [])].sort((one, other) => (one.since < other.since ? 1 : -1))[0];
  const who = newest?.name ?? count(number, "gateway");
  return (
    <section className={styles["section"]} aria-labelledby="report">
      <h2 id="report">4. Its first report</h2>
      <div className={styles["waiting"]} data-there={number > 0 ? "" : undefined} role="status">
        {number === 0 ? (
          <span>Waiting for the first report from {environment}…</span>
        ) : (
          <>
            <Icon name="check" />
            <span>
              {who} {newest || number === 1 ? "serves" : "serve"} {count(serving, "agent")} in
            </span>
            <EnvironmentMark environment={{ key: environment }} />
            <Link className={buttonClass("plain", true)} to="/c/$customer/agents" params={{ customer: customer.id }}>
              Activate another version and watch it arrive
            </Link>
          </>
        )}
      </div>
    </section>
  );
}
