// The console's words for the schema's enums. Nothing of the schema's spelling is ever shown: an unknown value, of a
// service that is newer than this page, is spelled in lower case.
import type {
  ActivationReason,
  ActorKind,
  ApiKeyScope,
  BillingStatus,
  BreakingPolicy,
  ChangeAction,
  ChangeImpact,
  Channel,
  FieldChangeKind,
  GatewayState,
  InvitationBlock,
  MembershipSource,
  Permission,
  Plan,
  PolicyRule,
  RejectionCode,
  Role,
  ServiceScope,
  Watched,
} from "~/__generated__/graphql";

/** `SOME_VALUE` as "Some value": what a value looks like that this page doesn't know. */
export function spell(value: string): string {
  const words = value.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function words<Value extends string>(table: Record<Value, string>): (value: Value) => string {
  return (value) => (Object.hasOwn(table, value) ? table[value] : spell(value));
}

/** What a change may do, from harmless to worst. */
export const impactWord = words<ChangeImpact>({
  SAME: "No change",
  CONTENT: "Wording",
  TUNING: "Settings",
  MODEL: "Model",
  CAPABILITY: "Tools",
  WIDENED: "Accepts more",
  UNKNOWN: "Can’t tell",
  NARROWED: "Accepts less",
  REMOVED: "Removed",
});

/** What has to be confirmed, as the sentence beside its box. */
export const impactConsent = words<ChangeImpact>({
  SAME: "Nothing changes.",
  CONTENT: "The wording changes.",
  TUNING: "The model’s settings change.",
  MODEL: "The model changes.",
  CAPABILITY: "The tools change.",
  WIDENED: "Tools accept more than before.",
  UNKNOWN: "It can’t be told what running conversations will do.",
  NARROWED: "Running conversations may fail when they call a tool that accepts less.",
  REMOVED: "Running conversations fail when they call a tool that is removed.",
});

export const reasonWord = words<ActivationReason>({
  ACTIVATE: "Activated",
  PUBLISH: "Published and activated",
  ROLLBACK: "Rolled back",
  PROMOTE: "Promoted",
  DEACTIVATE: "Stopped",
  ARCHIVE: "Archived",
});

/** The verb of a sentence: "Ada Lee rolled back Permit helper 15 → 13". */
export const reasonVerb = words<ActivationReason>({
  ACTIVATE: "activated",
  PUBLISH: "published and activated",
  ROLLBACK: "rolled back",
  PROMOTE: "promoted",
  DEACTIVATE: "stopped",
  ARCHIVE: "archived",
});

/** The verb of a sentence about an entry of the log. */
export const actionVerb = words<ChangeAction>({
  CUSTOMER_CREATED: "created the customer",
  CUSTOMER_UPDATED: "changed the customer",
  CUSTOMER_PLAN_SET: "set the plan",
  CUSTOMER_BILLING_SET: "set the billing status",
  CUSTOMER_ERASED: "erased the customer",
  USER_CREATED: "was seen for the first time",
  USER_UPDATED: "changed a profile",
  IDENTITY_LINKED: "linked an identity",
  MEMBER_SET: "set a member’s role",
  MEMBER_REMOVED: "removed a member",
  INVITATION_CREATED: "invited",
  INVITATION_REVOKED: "revoked an invitation",
  API_KEY_CREATED: "created a key",
  API_KEY_ROTATED: "rotated a key",
  API_KEY_REVOKED: "revoked a key",
  OPERATOR_ADDED: "added an operator",
  OPERATOR_REMOVED: "removed an operator",
  SERVICE_TOKEN_CREATED: "created a service token",
  SERVICE_TOKEN_ROTATED: "rotated a service token",
  SERVICE_TOKEN_REVOKED: "revoked a service token",
  ISSUER_KEYS_REFRESHED: "read the issuer’s keys anew",
  ENVIRONMENT_CREATED: "created the environment",
  ENVIRONMENT_UPDATED: "changed the environment",
  ENVIRONMENT_ARCHIVED: "archived the environment",
  ENVIRONMENT_RESTORED: "restored the environment",
  AGENT_CREATED: "created",
  AGENT_UPDATED: "changed",
  AGENT_ARCHIVED: "archived",
  AGENT_RESTORED: "restored",
  VERSION_PUBLISHED: "published",
  AGENT_ACTIVATED: "activated",
  AGENT_DEACTIVATED: "stopped",
  LOG_PRUNED: "removed old entries of the log",
  SESSION_STARTED: "signed in",
  SESSION_ENDED: "signed out",
});

/** An action as a choice in a filter. */
export const actionWord = words<ChangeAction>({
  CUSTOMER_CREATED: "Customer created",
  CUSTOMER_UPDATED: "Customer changed",
  CUSTOMER_PLAN_SET: "Plan set",
  CUSTOMER_BILLING_SET: "Billing status set",
  CUSTOMER_ERASED: "Customer erased",
  USER_CREATED: "Person first seen",
  USER_UPDATED: "Profile changed",
  IDENTITY_LINKED: "Identity linked",
  MEMBER_SET: "Member’s role set",
  MEMBER_REMOVED: "Member removed",
  INVITATION_CREATED: "Invitation created",
  INVITATION_REVOKED: "Invitation revoked",
  API_KEY_CREATED: "Key created",
  API_KEY_ROTATED: "Key rotated",
  API_KEY_REVOKED: "Key revoked",
  OPERATOR_ADDED: "Operator added",
  OPERATOR_REMOVED: "Operator removed",
  SERVICE_TOKEN_CREATED: "Service token created",
  SERVICE_TOKEN_ROTATED: "Service token rotated",
  SERVICE_TOKEN_REVOKED: "Service token revoked",
  ISSUER_KEYS_REFRESHED: "Issuer’s keys read",
  ENVIRONMENT_CREATED: "Environment created",
  ENVIRONMENT_UPDATED: "Environment changed",
  ENVIRONMENT_ARCHIVED: "Environment archived",
  ENVIRONMENT_RESTORED: "Environment restored",
  AGENT_CREATED: "Agent created",
  AGENT_UPDATED: "Agent changed",
  AGENT_ARCHIVED: "Agent archived",
  AGENT_RESTORED: "Agent restored",
  VERSION_PUBLISHED: "Version published",
  AGENT_ACTIVATED: "Version activated",
  AGENT_DEACTIVATED: "Serving stopped",
  LOG_PRUNED: "Log pruned",
  SESSION_STARTED: "Signed in",
  SESSION_ENDED: "Signed out",
});

export const actorWord = words<ActorKind>({
  USER: "Person",
  API_KEY: "Key",
  SERVICE: "Service token",
  OPERATOR: "Operator",
  SYSTEM: "The registry",
});

export const channelWord = words<Channel>({
  GRAPHQL: "GraphQL",
  SOCKET: "Socket",
  REST: "REST call",
  COMMAND: "Command line",
  SERVICE: "The registry itself",
  CONSOLE: "Console",
});

export const roleWord = words<Role>({ VIEWER: "Viewer", EDITOR: "Editor", ADMIN: "Admin" });

/** What a role may do, for whoever gives it. */
export const roleMeaning = words<Role>({
  VIEWER: "sees agents and what they serve",
  EDITOR: "also publishes, activates and rolls back",
  ADMIN: "also manages people, keys and environments, and reads the audit",
});

export const billingWord = words<BillingStatus>({
  TRIALING: "On trial",
  ACTIVE: "Active",
  PAST_DUE: "Payment due",
  SUSPENDED: "Suspended",
  CANCELED: "Canceled",
});

export const planWord = words<Plan>({ FREE: "Free", PRO: "Pro", ENTERPRISE: "Enterprise" });

export const breakingWord = words<BreakingPolicy>({
  ALLOW: "lets breaking changes through",
  CONFIRM: "asks before a breaking change",
  REFUSE: "refuses breaking changes",
});

export const ruleWord = words<PolicyRule>({
  ACTIVATE_ROLE: "Role",
  PROMOTE_FROM: "Way",
  MIN_SOAK: "Time",
  ON_BREAKING: "Breaking changes",
  ALLOWED_MODELS: "Models",
  SECRET_IN_PROMPT: "Secret",
});

export const gatewayWord = words<GatewayState>({ LIVE: "live", LATE: "late", SILENT: "never reports", GONE: "gone" });

export const rejectionWord = words<RejectionCode>({
  UNKNOWN_MODEL: "doesn’t know the model",
  UNKNOWN_TOOL: "doesn’t know a tool",
  INVALID_SCHEMA: "doesn’t accept a schema",
  TOO_LARGE: "finds it too large",
  INTERNAL: "has a fault",
});

export const scopeWord = words<ApiKeyScope | ServiceScope>({
  AGENTS_READ: "Read agents",
  AGENTS_WRITE: "Write agents",
  VERSIONS_PUBLISH: "Publish versions",
  VERSIONS_ACTIVATE: "Activate versions",
  CONFIGS_READ: "Read configurations",
  ACTIVATIONS_WATCH: "Watch activations",
  CHANGES_READ: "Read the audit",
});

export const sourceWord = words<MembershipSource>({ MANUAL: "by a person", CLAIM: "by the identity provider" });

export const blockWord = words<InvitationBlock>({
  EMAIL_NOT_VERIFIED: "Your identity provider hasn’t verified your address yet.",
  LIMIT_REACHED: "The customer has as many members as its plan allows. An admin there can make room.",
  SUSPENDED: "The customer is suspended.",
  CANCELED: "The customer is canceled.",
});

export const fieldChangeWord = words<FieldChangeKind>({ ADDED: "added", REMOVED: "removed", CHANGED: "changed", REORDERED: "in another order" });

export const watchedWord = words<Watched>({ ACTIVATIONS: "activations", CONFIGS: "configurations", CHANGES: "the audit", CUSTOMER_EVENTS: "customers’ events" });

/** The lowest role that has a right, for the reason of a disabled button. */
const ROLE_OF: Partial<Record<Permission, Role>> = {
  WRITE_AGENTS: "EDITOR",
  PUBLISH_VERSIONS: "EDITOR",
  ACTIVATE_VERSIONS: "EDITOR",
  EXPORT_AGENTS: "EDITOR",
  IMPORT_AGENTS: "EDITOR",
  MANAGE_ENVIRONMENTS: "ADMIN",
  MANAGE_MEMBERS: "ADMIN",
  REMOVE_MEMBERS: "ADMIN",
  READ_MEMBERS: "ADMIN",
  MANAGE_KEYS: "ADMIN",
  REVOKE_KEYS: "ADMIN",
  READ_KEYS: "ADMIN",
  READ_CHANGES: "ADMIN",
  READ_BILLING: "ADMIN",
  UPDATE_CUSTOMER: "ADMIN",
};

/** Who has a right: "Needs an editor". */
export function needs(permission: Permission): string {
  const role = ROLE_OF[permission];
  if (!role) return "Needs an operator";
  return role === "ADMIN" ? "Needs an admin" : "Needs an editor";
}

/** "1 agent", "3 agents", "3,000 agents". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** The last six characters of an id, which is how it is shown beside a name. */
export function shortId(id: string): string {
  return id.slice(-6);
}
