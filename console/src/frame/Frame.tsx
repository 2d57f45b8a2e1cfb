import { Link, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { closeActivation, useActivationTarget } from "~/activation";
import { RequestError } from "~/api/errors";
import { watch } from "~/api/live";
import { client, useData } from "~/api/query";
import { onPerhapsSignedIn, session, sessionFound, signOut } from "~/api/session";
import { topic } from "~/api/topics";
import { preferences, THEMES } from "~/preferences";
import { buttonClass } from "~/ui/Button";
import { Icon } from "~/ui/Icon";
import { Menu, MenuItem, MenuLabel, MenuLine, MenuLink } from "~/ui/Menu";
import { Fault, Gone, Skeleton } from "~/ui/states";
import { FrameDocument } from "./documents";
import styles from "./Frame.module.css";
import { listenToKeys } from "./keys";
import { LiveBand, LiveMark } from "./LiveMark";
import { customerPlaces, OWN_PLACES, placesOf, PLATFORM_PLACES, type Place } from "./nav";
import { CrumbsContext } from "./Page";
import { CustomerContext, scopeOf, ViewerContext, type CustomerScope, type Viewer } from "./scope";
import { Switcher } from "./Switcher";

const Palette = lazy(() => import("./Palette"));
const KeysHelp = lazy(() => import("./KeysHelp"));
const ActivateDialog = lazy(() => import("~/pages/activate/ActivateDialog"));

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** The frame of every page that needs a session. It reads who looks, and the customer of the address. */
export function Frame() {
  const { customer: own } = useParams({ strict: false });
  // Pages of no customer keep the last one in the sidebar, and go on watching it.
  const id = own ?? preferences.recent()[0];
  const query = useData(
    FrameDocument,
    { customer: id ?? NOBODY, hasCustomer: id !== undefined },
    { keep: true, topics: ["viewer", ...(id ? [topic.customer(id), topic.environments(id)] : [])] },
  );
  const isSignedOut = query.data === undefined && query.error instanceof RequestError && query.error.kind === "session";
  useSignIn(isSignedOut);
  const { data } = query;
  const revision = useRef<string | null>(null);
  revision.current ??= data?.revision ?? null;
  const isKnown = data !== undefined;
  const { dataUpdatedAt } = query;
  useEffect(() => {
    if (dataUpdatedAt > 0) sessionFound();
  }, [dataUpdatedAt]);
  useEffect(() => (isKnown ? watch(id ?? null, revision.current) : undefined), [isKnown, id]);
  const found = data?.customer;
  const customer = useMemo(() => (found && found.id === id ? scopeOf(found) : null), [found, id]);
  const customerId = customer?.id;
  useEffect(() => {
    if (customerId) preferences.addRecent(customerId);
  }, [customerId]);

  if (isSignedOut) return null;
  if (!data) {
    return (
      <main className={styles["page"]}>{query.error ? <Fault error={query.error} retry={() => void query.refetch()} /> : <Skeleton rows={6} />}</main>
    );
  }
  return (
    <ViewerContext value={data.viewer}>
      <CustomerContext value={own === undefined ? null : customer}>
        <Shell viewer={data.viewer} customer={customer} isMissing={own !== undefined && !query.isPlaceholderData && !customer} isWaiting={own !== undefined && query.isPlaceholderData && !customer} />
      </CustomerContext>
    </ViewerContext>
  );
}

/** Leads to the sign-in page, and back to this address afterwards. */
function useSignIn(isSignedOut: boolean): void {
  const navigate = useNavigate();
  useEffect(() => {
    if (isSignedOut) void navigate({ to: "/sign-in", search: { next: location.pathname + location.search }, replace: true });
  }, [isSignedOut, navigate]);
}

function Shell({ viewer, customer, isMissing, isWaiting }: { viewer: Viewer; customer: CustomerScope | null; isMissing: boolean; isWaiting: boolean }) {
  const [crumbs, setCrumbs] = useState<HTMLElement | null>(null);
  const [open, setOpen] = useState<"palette" | "keys" | null>(null);
  const navigate = useNavigate();
  useEffect(
    () =>
      listenToKeys({
        palette: () => setOpen("palette"),
        help: () => setOpen("keys"),
        go: (letter) => {
          const place = placesOf(viewer, customer).find((one) => one.letter === letter);
          if (place) void navigate(place.to as Parameters<typeof navigate>[0]);
        },
      }),
    [viewer, customer, navigate],
  );
  const target = useActivationTarget();
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (
    <div className={styles["frame"]}>
      <a className={styles["skip"]} href="#page" onClick={(event) => skip(event)}>
        Skip to the page
      </a>
      <Side viewer={viewer} customer={customer} />
      <div className={styles["main"]}>
        <div className={styles["top"]}>
          <div ref={setCrumbs} className={styles["crumbs"]} />
          <button type="button" className={styles["search"]} onClick={() => setOpen("palette")}>
            <Icon name="search" />
            <span>Search</span>
            <kbd>{/Mac|iP/.test(navigator.userAgent) ? "⌘ K" : "Ctrl K"}</kbd>
            <b className="unseen">Search</b>
          </button>
          <LiveMark />
        </div>
        <SessionBand />
        <LiveBand />
        {customer && <CustomerBand customer={customer} />}
        <main id="page" className={styles["page"]} tabIndex={-1}>
          <CrumbsContext value={crumbs}>
            {isMissing ? <Gone what="customer" /> : isWaiting ? <Skeleton rows={6} /> : <Suspense fallback={<Skeleton rows={6} />}><Outlet key={customer?.id} /></Suspense>}
          </CrumbsContext>
        </main>
      </div>
      <Bottom viewer={viewer} customer={customer} />
      <Suspense>
        {open === "palette" && <Palette close={() => setOpen(null)} />}
        {open === "keys" && <KeysHelp close={() => setOpen(null)} />}
        {target && <ActivateDialog key={JSON.stringify(target)} target={target} onClose={closeActivation} />}
      </Suspense>
      <span className="unseen" data-path={path} />
    </div>
  );
}

function skip(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("page")?.focus();
}

function PlaceLink({ place }: { place: Place }) {
  return (
    <Link {...place.to} className={styles["place"]} activeOptions={{ exact: place.isExact ?? false, includeSearch: false }} title={place.label}>
      <Icon name={place.icon} />
      <span>{place.label}</span>
    </Link>
  );
}

function Side({ viewer, customer }: { viewer: Viewer; customer: CustomerScope | null }) {
  const places = [...(customer ? customerPlaces(customer.id) : []), ...OWN_PLACES];
  return (
    <div className={styles["side"]}>
      <Switcher viewer={viewer} customer={customer} />
      <nav aria-label="Pages">
        <div className={styles["places"]}>
          {places.map((place) => (
            <PlaceLink key={place.label} place={place} />
          ))}
        </div>
        {viewer.isOperator && (
          <div className={styles["places"]}>
            <p className={styles["group"]}>Platform</p>
            {PLATFORM_PLACES.map((place) => (
              <PlaceLink key={place.label} place={place} />
            ))}
          </div>
        )}
      </nav>
      <div className={styles["foot"]}>
        <Foot viewer={viewer} />
      </div>
    </div>
  );
}

const THEME_WORDS = { system: "As the system has it", light: "Light", dark: "Dark" };

function Foot({ viewer }: { viewer: Viewer }) {
  const theme = useSyncExternalStore(preferences.subscribe, preferences.theme);
  return (
    <Menu
      align="start"
      side="top"
      trigger={
        <button type="button" className={styles["place"]} aria-label={`${viewer.displayName}: theme, tools and sign out`}>
          <Icon name="people" />
          <span>{viewer.displayName}</span>
        </button>
      }
    >
      <MenuLabel>{viewer.isOperator ? `${viewer.displayName}, operator` : viewer.displayName}</MenuLabel>
      {THEMES.map((one) => (
        <MenuItem key={one} icon={one === theme ? "check" : "theme"} onSelect={() => preferences.setTheme(one)}>
          {THEME_WORDS[one]}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuLink>
        <a href="/graphiql" target="_blank" rel="noreferrer">
          <Icon name="external" /> GraphiQL
        </a>
      </MenuLink>
      <MenuItem
        icon="door"
        onSelect={signOut}
      >
        Sign out of this browser
      </MenuItem>
    </Menu>
  );
}

/** The bar at the bottom of small screens: three pages and all the others. */
function Bottom({ viewer, customer }: { viewer: Viewer; customer: CustomerScope | null }) {
  const own = customer ? customerPlaces(customer.id) : viewer.isOperator ? PLATFORM_PLACES : [];
  const first = own.slice(0, 3);
  const rest = placesOf(viewer, customer).filter((place) => !first.some(({ label }) => label === place.label));
  return (
    <nav className={styles["bottom"]} aria-label="Main pages">
      {first.map((place) => (
        <PlaceLink key={place.label} place={place} />
      ))}
      <Menu
        side="top"
        trigger={
          <button type="button" className={styles["place"]}>
            <Icon name="more" />
            <span>More</span>
          </button>
        }
      >
        {rest.map((place) => (
          <MenuLink key={place.label}>
            <Link {...place.to}>
              <Icon name={place.icon} /> {place.label}
            </Link>
          </MenuLink>
        ))}
        <MenuLine />
        <MenuLink>
          <a href="/graphiql">
            <Icon name="external" /> GraphiQL
          </a>
        </MenuLink>
        <MenuItem icon="door" onSelect={signOut}>
          Sign out of this browser
        </MenuItem>
      </Menu>
    </nav>
  );
}

/** A session that ended while the tab was open: what was typed stays, and signing in happens in another tab. */
function SessionBand() {
  const hasEnded = useSyncExternalStore(session.subscribe, session.hasEnded);
  useEffect(() => {
    if (!hasEnded) return;
    return onPerhapsSignedIn(() => void client.refetchQueries({ type: "active" }));
  }, [hasEnded]);
  if (!hasEnded) return null;
  return (
    <div className={styles["band"]} role="alert">
      <Icon name="warn" />
      <span>Your session has ended. What you typed stays here.</span>
      <a className={buttonClass("plain", true)} href="/sign-in?reason=ended" target="_blank" rel="noreferrer">
        Sign in in a new tab
      </a>
    </div>
  );
}

const STATUS_WORDS: Partial<Record<string, string>> = {
  SUSPENDED: "is suspended: its agents aren’t served, and nothing can be published or activated.",
  CANCELED: "is canceled: its agents aren’t served, and nothing can be changed.",
  PAST_DUE: "has a payment due. Its agents go on being served.",
};

function CustomerBand({ customer }: { customer: CustomerScope }) {
  const words = customer.billing && STATUS_WORDS[customer.billing.status];
  if (!words) return null;
  return (
    <div className={styles["band"]}>
      <Icon name="warn" />
      <span>
        {customer.name} {words}
      </span>
    </div>
  );
}
