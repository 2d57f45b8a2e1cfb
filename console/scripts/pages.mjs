// Every page, with an address that has something to show, for `look` and `axe`.
import { ask } from "./browser.mjs";

/** The pages by name: `{ name, address }`, and what to open on them with `act`. */
export async function pages(page) {
  const { customers } = await ask(page, "query { customers(first: 20) { nodes { id name agents(first: 5) { totalCount nodes { id versions(first: 1) { nodes { number } } } } } } }");
  const wanted = process.env.REGISTRY_CUSTOMER;
  const customer = customers.nodes.find(({ name, id }) => name === wanted || id === wanted) ?? [...customers.nodes].sort((one, other) => other.agents.totalCount - one.agents.totalCount)[0];
  const at = `/c/${customer.id}`;
  const agent = [...customer.agents.nodes].sort((one, other) => (other.versions.nodes[0]?.number ?? 0) - (one.versions.nodes[0]?.number ?? 0))[0];
  const latest = agent?.versions.nodes[0]?.number ?? 1;
  const own = `${at}/agents/${agent?.id}`;
  const empty = customers.nodes.find(({ agents }) => agents.totalCount === 0);
  return [
    { name: "sign-in", address: "/sign-in" },
    { name: "sign-in-ended", address: "/sign-in?reason=ended" },
    { name: "home", address: "/" },
    { name: "overview", address: at },
    ...(empty ? [{ name: "overview-empty", address: `/c/${empty.id}` }] : []),
    { name: "agents", address: `${at}/agents` },
    { name: "agents-none", address: `${at}/agents?q=nothing-has-this-name` },
    { name: "agent", address: own },
    { name: "agent-activity", address: `${own}?tab=activity` },
    { name: "agent-use", address: `${own}?tab=use` },
    { name: "version", address: `${own}/versions/${latest}` },
    { name: "compare", address: `${own}/compare?from=${Math.max(latest - 1, 1)}&to=${latest}` },
    { name: "publish", address: `${own}/publish` },
    { name: "audit", address: `${at}/audit` },
    { name: "people", address: `${at}/people` },
    { name: "keys", address: `${at}/keys` },
    { name: "environments", address: `${at}/environments` },
    { name: "import", address: `${at}/import` },
    { name: "connect", address: `${at}/connect` },
    { name: "settings", address: "/settings" },
    { name: "invitation", address: "/invitations/0197a000-0000-7000-8000-000000000000" },
    { name: "customers", address: "/platform/customers" },
    { name: "gateways", address: "/platform/gateways" },
    { name: "service-tokens", address: "/platform/service-tokens" },
    { name: "operators", address: "/platform/operators" },
    { name: "instance", address: "/platform/instance" },
    { name: "missing", address: "/no/such/page" },
    {
      name: "palette",
      address: at,
      act: async (shown) => {
        await shown.keyboard.press("Control+k");
        await shown.getByRole("combobox").fill("a");
      },
    },
    { name: "keys-help", address: at, act: (shown) => shown.keyboard.press("?") },
  ];
}
