// Every address of the console. A page is a chunk of its own, which is loaded when it is looked at.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from "@tanstack/react-router";
import { Frame } from "./frame/Frame";
import { agentsSearch } from "./pages/agents/search";
import { agentSearch } from "./pages/agent/search";
import { auditSearch } from "./pages/audit/search";
import { compareSearch } from "./pages/compare/search";
import { connectSearch } from "./pages/connect/search";
import { customersSearch } from "./pages/customers/search";
import { gatewaysSearch } from "./pages/gateways/search";
import { homeSearch } from "./pages/home/search";
import { peopleSearch } from "./pages/people/search";
import { publishSearch } from "./pages/publish/search";
import { signInSearch } from "./pages/sign-in/search";
import { versionSearch } from "./pages/version/search";
import { Fault } from "./ui/states";
import { Toasts } from "./ui/toasts";
import { TooltipProvider } from "./ui/Tooltip";

const root = createRootRoute({
  component: () => (
    <TooltipProvider>
      <Outlet />
      <Toasts />
    </TooltipProvider>
  ),
  errorComponent: ({ error, reset }) => (
    <main>
      <Fault error={error} retry={reset} />
    </main>
  ),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "sign-in",
  validateSearch: signInSearch,
  component: lazyRouteComponent(() => import("./pages/sign-in/SignInPage")),
});

/** Pages that need a session. */
const frame = createRoute({
  getParentRoute: () => root,
  id: "frame",
  component: Frame,
});

const home = createRoute({
  getParentRoute: () => frame,
  path: "/",
  validateSearch: homeSearch,
  component: lazyRouteComponent(() => import("./pages/home/HomePage")),
});

const settings = createRoute({
  getParentRoute: () => frame,
  path: "settings",
  component: lazyRouteComponent(() => import("./pages/settings/SettingsPage")),
});

const invitation = createRoute({
  getParentRoute: () => frame,
  path: "invitations/$id",
  component: lazyRouteComponent(() => import("./pages/invitation/InvitationPage")),
});

const customer = createRoute({ getParentRoute: () => frame, path: "c/$customer", component: Outlet });

const overview = createRoute({
  getParentRoute: () => customer,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/overview/OverviewPage")),
});

const agents = createRoute({
  getParentRoute: () => customer,
  path: "agents",
  validateSearch: agentsSearch,
  component: lazyRouteComponent(() => import("./pages/agents/AgentsPage")),
});

const agent = createRoute({
  getParentRoute: () => customer,
  path: "agents/$agent",
  validateSearch: agentSearch,
  component: lazyRouteComponent(() => import("./pages/agent/AgentPage")),
});

const version = createRoute({
  getParentRoute: () => customer,
  path: "agents/$agent/versions/$number",
  validateSearch: versionSearch,
  component: lazyRouteComponent(() => import("./pages/version/VersionPage")),
});

const compare = createRoute({
  getParentRoute: () => customer,
  path: "agents/$agent/compare",
  validateSearch: compareSearch,
  component: lazyRouteComponent(() => import("./pages/compare/ComparePage")),
});

const publish = createRoute({
  getParentRoute: () => customer,
  path: "agents/$agent/publish",
  validateSearch: publishSearch,
  component: lazyRouteComponent(() => import("./pages/publish/PublishPage")),
});

const audit = createRoute({
  getParentRoute: () => customer,
  path: "audit",
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import("./pages/audit/AuditPage")),
});

const people = createRoute({
  getParentRoute: () => customer,
  path: "people",
  validateSearch: peopleSearch,
  component: lazyRouteComponent(() => import("./pages/people/PeoplePage")),
});

const keys = createRoute({
  getParentRoute: () => customer,
  path: "keys",
  component: lazyRouteComponent(() => import("./pages/keys/KeysPage")),
});

const environments = createRoute({
  getParentRoute: () => customer,
  path: "environments",
  component: lazyRouteComponent(() => import("./pages/environments/EnvironmentsPage")),
});

const importAgents = createRoute({
  getParentRoute: () => customer,
  path: "import",
  component: lazyRouteComponent(() => import("./pages/import/ImportPage")),
});

const connect = createRoute({
  getParentRoute: () => customer,
  path: "connect",
  validateSearch: connectSearch,
  component: lazyRouteComponent(() => import("./pages/connect/ConnectPage")),
});

const customers = createRoute({
  getParentRoute: () => frame,
  path: "platform/customers",
  validateSearch: customersSearch,
  component: lazyRouteComponent(() => import("./pages/customers/CustomersPage")),
});

const gateways = createRoute({
  getParentRoute: () => frame,
  path: "platform/gateways",
  validateSearch: gatewaysSearch,
  component: lazyRouteComponent(() => import("./pages/gateways/GatewaysPage")),
});

const serviceTokens = createRoute({
  getParentRoute: () => frame,
  path: "platform/service-tokens",
  component: lazyRouteComponent(() => import("./pages/service-tokens/ServiceTokensPage")),
});

const operators = createRoute({
  getParentRoute: () => frame,
  path: "platform/operators",
  component: lazyRouteComponent(() => import("./pages/operators/OperatorsPage")),
});

const instance = createRoute({
  getParentRoute: () => frame,
  path: "platform/instance",
  component: lazyRouteComponent(() => import("./pages/instance/InstancePage")),
});

const missing = createRoute({
  getParentRoute: () => frame,
  path: "$",
  component: lazyRouteComponent(() => import("./pages/missing/MissingPage")),
});

const routeTree = root.addChildren([
  signIn,
  frame.addChildren([
    home,
    settings,
    invitation,
    customer.addChildren([overview, agents, agent, version, compare, publish, audit, people, keys, environments, importAgents, connect]),
    customers,
    gateways,
    serviceTokens,
    operators,
    instance,
    missing,
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Fault error={error} retry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
