/* eslint-disable */
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = T | null | undefined;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /**
   * A position in the audit log, as an event or a record gave it. A bare revision is accepted too, and means the end
   * of that commit. A cursor of another database fails with CURSOR_INVALID; one from before the kept part of the log,
   * with CURSOR_TOO_OLD.
   */
  Cursor: { input: string; output: string; }
  /** A calendar day, `2026-11-29`, in the time zone that the query names. */
  Date: { input: string; output: string; }
  /**
   * An instant in UTC, as RFC 3339 writes it, always with six digits: `2026-11-22T12:00:00.120000Z`. So the strings sort
   * as the instants do. Input may have any offset, and any number of digits.
   */
  DateTime: { input: string; output: string; }
  /** Any JSON value, as its text was given: the order of keys and the numbers stay. */
  JSON: { input: unknown; output: unknown; }
  /**
   * The number of a commit, as a decimal string, because JSON numbers are exact only up to 2^53. Each commit's
   * number is one more than the one before, across all customers.
   */
  Revision: { input: string; output: string; }
};

/** The version to activate. */
export type ActivateVersionInput = {
  /** The UUID of the agent to change. */
  agentId: Scalars['ID']['input'];
  /** The impacts that you accept, when the plan's decision is CONFIRM. Needs `planHash`. */
  confirm?: InputMaybe<Array<ChangeImpact>>;
  /** The key of the environment; `production` if left out. */
  environment?: InputMaybe<Scalars['String']['input']>;
  /**
   * Fail with CONFLICT if another version than this one is active there now; null expects that none is. Not checked if
   * left out.
   */
  expectedActiveVersionId?: InputMaybe<Scalars['ID']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * Fail with PLAN_CHANGED, and answer the new plan, if this isn't the plan any more: the `planHash` of an
   * `activationPlan`.
   */
  planHash?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of the version to activate; must be one of the agent's own. */
  versionId: Scalars['ID']['input'];
};

/** The result of `activateVersion`, `promoteVersion`, `rollback` and `deactivate`. */
export type ActivateVersionPayload = {
  __typename?: 'ActivateVersionPayload';
  /**
   * The record of this change, or of the earlier one if nothing had to change; null if the agent has no record,
   * or after an error.
   */
  activation?: Maybe<Activation>;
  /**
   * The agent after the write. After a CONFLICT too, with the version that is active now; null after other
   * errors.
   */
  agent?: Maybe<Agent>;
  /**
   * The plan as it is now, after PLAN_CHANGED, CONFIRMATION_REQUIRED, POLICY_REFUSED and NOT_PROMOTABLE; null otherwise,
   * for `rollback` and `deactivate`, which only need the role, and for a caller that may not read contents.
   */
  plan?: Maybe<ActivationPlan>;
  /**
   * The commit that brought the agent into this state, an earlier one if nothing had to change; null if there
   * are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /**
   * What the agent serves in the environment after the write. After a CONFLICT too; null after other errors, and for API
   * keys without `agents:read`.
   */
  serving?: Maybe<Serving>;
  /** Why nothing was changed; empty on success, also if nothing had to change. */
  userErrors: Array<UserError>;
};

/** The record of one change of an agent's active version. It never changes. */
export type Activation = Node & {
  __typename?: 'Activation';
  /** When the active version changed. */
  activatedAt: Scalars['DateTime']['output'];
  /** The user, API key or operator that made the change; SYSTEM for an import on the command line. */
  activatedBy: Actor;
  /** The agent whose active version changed. */
  agent: Agent;
  /** How many gateways have applied it; null if a later activation replaced it. Null without READ_AGENTS. */
  convergence?: Maybe<Convergence>;
  /**
   * The record's position in the audit log. Pass it as `after` to a subscription, which then continues with the
   * next event.
   */
  cursor: Scalars['Cursor']['output'];
  /** The environment in which it changed. */
  environment: Environment;
  /** The record's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** The version that was active before; null if there was none. */
  previousVersion?: Maybe<AgentVersion>;
  /** What made the change. */
  reason: ActivationReason;
  /** The commit that changed the active version. */
  revision: Scalars['Revision']['output'];
  /** The version that is active from then on; null for a deactivation. */
  version?: Maybe<AgentVersion>;
};

/** A page of activations. */
export type ActivationConnection = {
  __typename?: 'ActivationConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<ActivationEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Activation>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** Activations of one day, environment and reason. */
export type ActivationCount = {
  __typename?: 'ActivationCount';
  /** How many there are: at least 1, since days without any are left out. */
  count: Scalars['Int']['output'];
  /** The day, in the time zone of the query. */
  day: Scalars['Date']['output'];
  /** The key of the environment. */
  environmentKey: Scalars['String']['output'];
  /** The reason, as `Activation.reason`. */
  reason: ActivationReason;
};

/** One Activation of a page, with its cursor. */
export type ActivationEdge = {
  __typename?: 'ActivationEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Activation;
};

/** What an activation would change, at one moment. Computing it writes and locks nothing. */
export type ActivationPlan = {
  __typename?: 'ActivationPlan';
  /** How many gateways may serve this agent in this environment: `Convergence.gateways`, the same on every instance. */
  affectedGateways: Scalars['Int']['output'];
  /** The agent whose active version would change. */
  agent: Agent;
  /** What the rules say together: the strictest of `policy`. */
  decision: PlanDecision;
  /** The environment in which it would change. */
  environment: Environment;
  /**
   * Each thing that differs and what it may do, in the order of the content. At most 1,000, and then a last one that
   * says how many are left out.
   */
  findings: Array<Finding>;
  /** The worst of the findings; SAME without any. */
  impact: ChangeImpact;
  /** The impacts that `confirm` must name; empty unless the decision is CONFIRM. */
  mustConfirm: Array<ChangeImpact>;
  /**
   * How many of them report, and haven't applied the current activation, or refuse it. Gateways that never report
   * don't count, since nobody knows.
   */
  pendingGateways: Scalars['Int']['output'];
  /**
   * SHA-256, as 64 hexadecimal digits, over the environment's key, both `bytesHash`es, the findings and the policy,
   * without messages and without `ACTIVATE_ROLE`. `content` has the hash of the version that it becomes. Pass it to
   * `activateVersion`, which then fails with PLAN_CHANGED if the plan is another one by then.
   */
  planHash: Scalars['String']['output'];
  /** What the environment's rules say, in the order of `PolicyRule`; at most one for each rule. */
  policy: Array<PolicyFinding>;
  /** The version that serves now; null if none does. */
  previousVersion?: Maybe<AgentVersion>;
  /** The commit of whose moment the plan is. */
  revision: Scalars['Revision']['output'];
  /** The version that would serve; null for a deactivation, and for `content` that isn't published. */
  version?: Maybe<AgentVersion>;
};

/** What changed an agent's active version. */
export type ActivationReason =
  /** `activateVersion`, or an import, activated this version. */
  | 'ACTIVATE'
  /** `archiveAgent` ended serving and archived the agent. */
  | 'ARCHIVE'
  /** `deactivate` ended serving: no version is active. */
  | 'DEACTIVATE'
  /** `promoteVersion` activated the version that was active in another environment. */
  | 'PROMOTE'
  /** `publishVersion` published and activated the version in one commit. */
  | 'PUBLISH'
  /** `rollback` activated a version that was active before. */
  | 'ROLLBACK';

/** All that the runtime needs to run an agent: the content of its active version, and where it comes from. */
export type ActiveConfig = {
  __typename?: 'ActiveConfig';
  /** When this version became active. */
  activatedAt: Scalars['DateTime']['output'];
  /** The UUID of the agent. */
  agentId: Scalars['ID']['output'];
  /** SHA-256, as 64 hexadecimal digits, over the exact bytes that are served; the same as `AgentVersion.bytesHash`. */
  bytesHash: Scalars['String']['output'];
  /** SHA-256, as 64 hexadecimal digits, of the content as canonical JSON; the same as `AgentVersion.contentHash`. */
  contentHash: Scalars['String']['output'];
  /** The UUID of the agent's customer. */
  customerId: Scalars['ID']['output'];
  /** The key of the environment in which the configuration is active. */
  environmentKey: Scalars['String']['output'];
  /**
   * Further settings for gateways, as they were published: a JSON object whose keys are URIs or reverse domains; `{}` if
   * there are none.
   */
  extensions: Scalars['JSON']['output'];
  /** The model's name, such as `gpt-4-turbo`. */
  modelName: Scalars['String']['output'];
  /**
   * The model's settings, such as `temperature`: a JSON object of at most 64 KiB, with the order of keys and the
   * numbers that were published.
   */
  modelParameters: Scalars['JSON']['output'];
  /** The agent's name, unique within its customer. */
  name: Scalars['String']['output'];
  /** The commit that last changed this: an activation, or a change of the agent's name. */
  revision: Scalars['Revision']['output'];
  /** The system prompt: at most 512 KiB of UTF-8, may be empty. */
  systemPrompt: Scalars['String']['output'];
  /** The tools that the model may call, at most 128, in the order in which they were published. */
  tools: Array<Tool>;
  /** The UUID of the active version. */
  versionId: Scalars['ID']['output'];
  /** The active version's number within its agent. */
  versionNumber: Scalars['Int']['output'];
};

/** The active configuration, or why there is none. */
export type ActiveConfigResult = ActiveConfig | NotServed;

/** The caller that did something. */
export type Actor = {
  __typename?: 'Actor';
  /** The API key that did it. Null for others, and for callers who may not read the key. */
  apiKey?: Maybe<ApiKey>;
  /**
   * For people: a person's name or address, the name of an API key or service token, else the kind of caller. Never
   * empty.
   */
  displayName: Scalars['String']['output'];
  /**
   * The UUID of the user, API key or service token. Null for SYSTEM. Service tokens, and API keys without
   * `changes:read`, see only their own.
   */
  id?: Maybe<Scalars['ID']['output']>;
  /** The kind of caller; it decides what `id` names. */
  kind: ActorKind;
  /** The service token that did it. Null for others, and for everyone but operators. */
  serviceToken?: Maybe<ServiceToken>;
  /**
   * The person who did it. Null for programs and the system, for people who share no customer with you, and for
   * callers who may not see people.
   */
  user?: Maybe<User>;
};

/** The kinds of callers that can do something. */
export type ActorKind =
  /** A program of a customer, with an API key. */
  | 'API_KEY'
  /** An operator: a person who runs the platform, with all rights at all customers. */
  | 'OPERATOR'
  /** A service of the platform, with a service token. */
  | 'SERVICE'
  /** The command line, or a task of the service itself. */
  | 'SYSTEM'
  /** A person: usually a member of customers. */
  | 'USER';

/** The member to add, by issuer and subject. */
export type AddMemberInput = {
  /** The UUID of the customer. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The issuer of the member's tokens: their `iss` claim. The service's only issuer when left out. */
  issuer?: InputMaybe<Scalars['String']['input']>;
  /** The role that the member has from now on. */
  role: Role;
  /** The member's name at the issuer: the `sub` claim, 1 to 255 characters. */
  subject: Scalars['String']['input'];
};

/** The result of `addMember`. */
export type AddMemberPayload = {
  __typename?: 'AddMemberPayload';
  /** The membership; null if there are `userErrors`. */
  membership?: Maybe<Membership>;
  /** The commit that added the member, an earlier one if it had the role already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the member wasn't added; empty on success. */
  userErrors: Array<UserError>;
};

/** The person to make an operator: `userId` alone, or `issuer` and `subject`. */
export type AddOperatorInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The issuer of the person's tokens: their `iss` claim, unchanged. */
  issuer?: InputMaybe<Scalars['String']['input']>;
  /** The person's name at the issuer: the `sub` claim, 1 to 255 characters. The person needs no profile yet. */
  subject?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of a user with a profile. */
  userId?: InputMaybe<Scalars['ID']['input']>;
};

/** The result of `addOperator`. */
export type AddOperatorPayload = {
  __typename?: 'AddOperatorPayload';
  /**
   * The commit that made the person an operator, an earlier one if the person was one already; null if there are
   * `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** The person; null if there are `userErrors`, and for a person without a profile. */
  user?: Maybe<User>;
  /** Why the person wasn't made an operator; empty on success. */
  userErrors: Array<UserError>;
};

/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type Agent = Node & {
  __typename?: 'Agent';
  /**
   * Each change of what the agent serves in these environments, newest first. FORBIDDEN for service tokens, and for API keys without
   * `agents:read`.
   */
  activations: ActivationConnection;
  /**
   * The version that is active in `production`, which is served unless the customer is SUSPENDED or CANCELED; null if no
   * version is active there.
   */
  activeVersion?: Maybe<AgentVersion>;
  /** When the agent was archived; null if it isn't archived. */
  archivedAt?: Maybe<Scalars['DateTime']['output']>;
  /**
   * The agent's entries of the audit log, newest first. For ADMINs, operators, and API keys with `changes:read`;
   * null for others.
   */
  changes?: Maybe<ChangeConnection>;
  /** When the agent was created. */
  createdAt: Scalars['DateTime']['output'];
  /**
   * The customer that the agent belongs to. FORBIDDEN for service tokens, and for API keys without
   * `agents:read`.
   */
  customer: Customer;
  /**
   * The purpose, as its authors describe it, at most 2,000 characters. Null if none was written; also for
   * service tokens and for API keys that have only `changes:read`.
   */
  description?: Maybe<Scalars['String']['output']>;
  /**
   * The difference between two versions; null if one of them doesn't exist. Null for service tokens, and for API
   * keys without `agents:read`.
   */
  diff?: Maybe<VersionDiff>;
  /** The agent's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /**
   * The last change of what the agent serves in one environment; null if nothing ever served there. Null for service
   * tokens, and for API keys without `agents:read`.
   */
  latestActivation?: Maybe<Activation>;
  /**
   * The newest version, whose `number` is also how many there are; null if there is none. Null for service tokens, and
   * for API keys without `agents:read`.
   */
  latestVersion?: Maybe<AgentVersion>;
  /** The name, unique within the customer: 1 to 200 characters. Erasing the customer replaces it. */
  name: Scalars['String']['output'];
  /**
   * The member responsible for the agent. Null if there is none, or that member has left; also for service
   * tokens, and for API keys without `changes:read`.
   */
  owner?: Maybe<User>;
  /**
   * The version that `rollback` without `toVersionId` and `steps` would activate in `production`. Null if there is none to go back
   * to, and while the agent is archived; also for service tokens, and for API keys without `agents:read`.
   */
  rollbackTarget?: Maybe<AgentVersion>;
  /**
   * What the agent serves in one environment. Null if the customer has no such environment; also for service tokens,
   * and for API keys without `agents:read`.
   */
  serving?: Maybe<Serving>;
  /**
   * What the agent serves in each environment that isn't archived, by rank. FORBIDDEN for service tokens, and for API
   * keys without `agents:read`.
   */
  servings: Array<Serving>;
  /** When the agent was last changed: its own fields, its versions, or what it serves in the environments that you reach. */
  updatedAt: Scalars['DateTime']['output'];
  /**
   * The version with this number; null if there is none. Null for service tokens, and for API keys without
   * `agents:read`.
   */
  version?: Maybe<AgentVersion>;
  /** The agent's versions, newest first. FORBIDDEN for service tokens, and for API keys without `agents:read`. */
  versions: AgentVersionConnection;
  /**
   * What you may do now with this agent and what it serves. While the customer is SUSPENDED or CANCELED, only an
   * operator may write; while the agent is archived, nobody publishes or activates. `Serving.viewerPermissions` also
   * follows the environment's `activateRole`.
   */
  viewerPermissions: Array<Permission>;
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentActivationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentChangesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<ChangeFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentDiffArgs = {
  from: Scalars['Int']['input'];
  to: Scalars['Int']['input'];
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentLatestActivationArgs = {
  environment?: InputMaybe<Scalars['String']['input']>;
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentServingArgs = {
  environment?: InputMaybe<Scalars['String']['input']>;
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentVersionArgs = {
  number: Scalars['Int']['input'];
};


/** An agent of a customer: a lasting name, under which versions are published and one of them is served. */
export type AgentVersionsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** A page of agents. */
export type AgentConnection = {
  __typename?: 'AgentConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<AgentEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Agent>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One Agent of a page, with its cursor. */
export type AgentEdge = {
  __typename?: 'AgentEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Agent;
};

/**
 * Conditions on agents; all given ones must hold. Those on the active version are about the version that is active in the
 * list's `environment`.
 */
export type AgentFilter = {
  /** Only agents of which a version was activated in the list's `environment` at or after this instant. */
  activatedSince?: InputMaybe<Scalars['DateTime']['input']>;
  /** True: only archived agents. False: only agents that aren't archived. Left out: both. */
  archived?: InputMaybe<Scalars['Boolean']['input']>;
  /** Only agents of these UUIDs, at most 100. */
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  /**
   * Only agents whose active version uses exactly this model.
   * @deprecated Use modelNames instead.
   */
  modelName?: InputMaybe<Scalars['String']['input']>;
  /** Only agents whose active version uses one of these models, at most 20; with `modelName` both must hold. */
  modelNames?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Only the agents of exactly this name, in the same case. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** Only agents whose name contains this text of at most 200 characters, in any case; an empty one filters nothing. */
  nameContains?: InputMaybe<Scalars['String']['input']>;
  /**
   * Only agents whose name starts with this text of at most 200 characters, in any case; an empty one filters
   * nothing.
   */
  nameStartsWith?: InputMaybe<Scalars['String']['input']>;
  /** Only agents that this user owns. */
  ownerId?: InputMaybe<Scalars['ID']['input']>;
  /**
   * True: only agents whose newest version is active there. False: only agents with versions that serve an older one there,
   * or nothing.
   */
  servesLatest?: InputMaybe<Scalars['Boolean']['input']>;
  /** True: only agents with an active version in the list's `environment`. False: only agents without one. */
  serving?: InputMaybe<Scalars['Boolean']['input']>;
  /** Only agents whose active version has a tool of exactly this name. */
  toolName?: InputMaybe<Scalars['String']['input']>;
  /**
   * Only agents of which anything changed at or after this instant: own fields, versions, or what they serve anywhere.
   * FORBIDDEN for credentials that are limited to environments.
   */
  updatedSince?: InputMaybe<Scalars['DateTime']['input']>;
};

/** The order of a list of agents. Agents of equal values are ordered by age. */
export type AgentOrder = {
  /** Ascending or descending; rows without a value come last in both. */
  direction?: OrderDirection;
  /** What the agents are ordered by. */
  field: AgentOrderField;
};

/** What agents can be ordered by. */
export type AgentOrderField =
  /** When the agent was created. */
  | 'CREATED_AT'
  /** The latest activation in the list's `environment`, also when nothing is active there now. */
  | 'LAST_ACTIVATED_AT'
  /** The model of the version that is active in the list's `environment`. */
  | 'MODEL_NAME'
  /** The name, in any case, by the code points of its lower-case letters. */
  | 'NAME'
  /** `updatedAt`. FORBIDDEN for credentials that are limited to environments. */
  | 'UPDATED_AT';

/**
 * An immutable version of an agent: the prompt, the model, its parameters, the tools and the extensions. Only erasing
 * the customer empties it.
 */
export type AgentVersion = Node & {
  __typename?: 'AgentVersion';
  /** The environments in which the version is active now, by rank. */
  activeIn: Array<Environment>;
  /** The agent that this version belongs to. */
  agent: Agent;
  /**
   * SHA-256, as 64 hexadecimal digits, over the exact bytes that are served: prompt, model name, the JSON of the
   * parameters, of the tools, and of the extensions if there are any, as REST writes them, each after its length as 8
   * bytes (big-endian). Reads the content of a version that was published before this field existed, and needs the rights of `systemPrompt` then.
   */
  bytesHash: Scalars['String']['output'];
  /** The size of the prompt, the parameters, the tools and the extensions together, in bytes. */
  contentBytes: Scalars['Int']['output'];
  /**
   * SHA-256, as 64 hexadecimal digits, of the content as canonical JSON (RFC 8785) with the keys
   * `system_prompt`, `model_name`, `model_parameters` and `tools`, and `extensions` if there are any. Compares
   * contents: the order of keys and the spelling of numbers don't matter. `bytesHash` names what is served.
   */
  contentHash: Scalars['String']['output'];
  /** When the version was published. */
  createdAt: Scalars['DateTime']['output'];
  /** The user, API key or operator that published the version; SYSTEM for an import on the command line. */
  createdBy: Actor;
  /**
   * The difference from another version of the agent to this one; null for the first version without `against`, and
   * if there is no version `against`. Needs the rights of `Agent.diff`.
   */
  diff?: Maybe<VersionDiff>;
  /**
   * Further settings for gateways, such as MCP servers, skills, handoffs and response formats: a JSON object of at most
   * 256 KiB, whose keys are URIs or reverse domains. Served as it was published; `{}` if there are none. Needs the same
   * rights as `systemPrompt`.
   */
  extensions: Scalars['JSON']['output'];
  /** The version's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** True while this is the version that is active in `production`. */
  isActive: Scalars['Boolean']['output'];
  /**
   * The author's reason for this version, at most 2,000 characters. Null if none was written; also for service
   * tokens and for API keys that have only `changes:read`.
   */
  message?: Maybe<Scalars['String']['output']>;
  /** The model's name, such as `gpt-4-turbo`: 1 to 200 characters, not checked against a list. */
  modelName: Scalars['String']['output'];
  /**
   * The model's settings, such as `temperature`: a JSON object of at most 64 KiB, with the order of keys and the
   * numbers that were published. Needs the same rights as `systemPrompt`.
   */
  modelParameters: Scalars['JSON']['output'];
  /** The version's number within its agent: 1, 2, 3 and so on, without gaps. */
  number: Scalars['Int']['output'];
  /**
   * The system prompt: at most 512 KiB of UTF-8, may be empty. Costs a read of the content, one for all versions
   * of a level. API keys need `agents:read`, `configs:read` or `activations:watch`; service tokens need
   * `configs:read`, and read only what is served now. FORBIDDEN otherwise.
   */
  systemPrompt: Scalars['String']['output'];
  /**
   * The tools that the model may call, at most 128, in the order in which they were published. Needs the same
   * rights as `systemPrompt`.
   */
  tools: Array<Tool>;
  /** The names in `{{name}}` in the prompt, in the order of their first use. Needs the rights of `systemPrompt`. */
  variables: Array<Scalars['String']['output']>;
};


/**
 * An immutable version of an agent: the prompt, the model, its parameters, the tools and the extensions. Only erasing
 * the customer empties it.
 */
export type AgentVersionDiffArgs = {
  against?: InputMaybe<Scalars['Int']['input']>;
};

/** A page of versions. */
export type AgentVersionConnection = {
  __typename?: 'AgentVersionConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<AgentVersionEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<AgentVersion>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One AgentVersion of a page, with its cursor. */
export type AgentVersionEdge = {
  __typename?: 'AgentVersionEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: AgentVersion;
};

/** A credential of a customer's own program. Its secret is shown only once, by the mutation that creates the key. */
export type ApiKey = Node & {
  __typename?: 'ApiKey';
  /** When the key was created. */
  createdAt: Scalars['DateTime']['output'];
  /** The user or operator who created the key. */
  createdBy: Actor;
  /** The keys of the environments that the key reaches; null if it reaches all. */
  environments?: Maybe<Array<Scalars['String']['output']>>;
  /**
   * When the key stops being accepted; null if it doesn't expire. Rotating the key sets this to the end of the
   * overlap.
   */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** What the key may do at its customer. */
  grantedScopes: Array<ApiKeyScope>;
  /** The key's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** When the key was last accepted, updated at most once a minute; null if never. */
  lastUsedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The name that its creator gave it: 1 to 200 characters, not unique. */
  name: Scalars['String']['output'];
  /** The UUID of the successor that rotating the key created; null if it wasn't rotated. */
  replacedById?: Maybe<Scalars['ID']['output']>;
  /** When the key was revoked; null if it wasn't. */
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /**
   * What the key may do at its customer, spelled as `agents:read` (see `ApiKeyScope`).
   * @deprecated Use grantedScopes, which has the values of the input.
   */
  scopes: Array<Scalars['String']['output']>;
};

/** A page of API keys. */
export type ApiKeyConnection = {
  __typename?: 'ApiKeyConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<ApiKeyEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<ApiKey>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One ApiKey of a page, with its cursor. */
export type ApiKeyEdge = {
  __typename?: 'ApiKeyEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: ApiKey;
};

/** What an API key may do at its customer. A key has no right that isn't listed in its scopes. */
export type ApiKeyScope =
  /** `activations:watch`: subscribe to activations and, together with `configs:read`, to configurations. */
  | 'ACTIVATIONS_WATCH'
  /** `agents:read`: read the customer, its agents, versions and activations, and export them as a file. */
  | 'AGENTS_READ'
  /** `agents:write`: create, update, archive and restore agents. */
  | 'AGENTS_WRITE'
  /** `changes:read`: read and watch the customer's audit log, and see who did something. */
  | 'CHANGES_READ'
  /** `configs:read`: read active configurations. */
  | 'CONFIGS_READ'
  /**
   * `versions:activate`: activate, roll back and deactivate. Together with `agents:write` and `versions:publish`,
   * import agents from a file.
   */
  | 'VERSIONS_ACTIVATE'
  /** `versions:publish`: publish versions. */
  | 'VERSIONS_PUBLISH';

/** The agent to archive. */
export type ArchiveAgentInput = {
  /** The UUID of the agent to archive. */
  agentId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `archiveAgent`. */
export type ArchiveAgentPayload = {
  __typename?: 'ArchiveAgentPayload';
  /** The agent after the write; null if there are `userErrors`. */
  agent?: Maybe<Agent>;
  /**
   * The commit that brought the agent into this state, an earlier one if nothing had to change; null if
   * there are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was written; empty on success. */
  userErrors: Array<UserError>;
};

/** The environment to archive: not the default one, and nothing may serve there. */
export type ArchiveEnvironmentInput = {
  /** The UUID of the environment to archive. */
  environmentId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `archiveEnvironment`. */
export type ArchiveEnvironmentPayload = {
  __typename?: 'ArchiveEnvironmentPayload';
  /** The environment after the write; null if there are `userErrors`. */
  environment?: Maybe<Environment>;
  /**
   * The commit that brought the environment into this state, an earlier one if nothing had to change; null if there
   * are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was changed; empty on success, also if nothing had to change. */
  userErrors: Array<UserError>;
};

/**
 * The result of the check that the instance that answers makes of the log's hash chain: of each entry since it started.
 * `agent-registry audit verify` checks the whole log.
 */
export type AuditStatus = {
  __typename?: 'AuditStatus';
  /** The chain hash of its last entry, as 64 hexadecimal digits: compare it with a signed head. */
  chainHash: Scalars['String']['output'];
  /**
   * False: this instance has found another log than the one that it had followed, because entries were changed or
   * removed, or a backup was restored. Stays false until the instance starts again. Null before the first check.
   */
  isIntact?: Maybe<Scalars['Boolean']['output']>;
  /** The last commit of the log. */
  revision: Scalars['Revision']['output'];
  /** When that was checked; null before the first check. */
  verifiedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The commit up to which the chain holds. It may be newer than `revision`. Null before the first check. */
  verifiedRevision?: Maybe<Scalars['Revision']['output']>;
};

/** A customer's billing state, which only operators change. */
export type Billing = {
  __typename?: 'Billing';
  /** The current status; `setBillingStatus` changes it. */
  status: BillingStatus;
};

/** Whether a customer has paid, and what the service does for it. */
export type BillingStatus =
  /** All bills are paid. The status of a new customer. */
  | 'ACTIVE'
  /** The contract has ended: as `SUSPENDED`, but for good. An operator may erase the customer's data. */
  | 'CANCELED'
  /** A payment is late; everything still works. */
  | 'PAST_DUE'
  /**
   * No configuration is served. Members can still read, revoke API keys and invitations, and remove members;
   * only operators can make other changes.
   */
  | 'SUSPENDED'
  /** The trial period: the customer doesn't pay yet, and everything works. */
  | 'TRIALING';

/** What an environment does with a plan whose impact is UNKNOWN, NARROWED or REMOVED. */
export type BreakingPolicy =
  /** The activation goes through. */
  | 'ALLOW'
  /** The activation needs `confirm`. */
  | 'CONFIRM'
  /** The activation is refused. */
  | 'REFUSE';

/**
 * One entry of the audit log: a single change, made by a commit. Entries never change, and hold no secrets and no
 * personal data.
 */
export type Change = {
  __typename?: 'Change';
  /** The kind of change; it decides the form of `before`, `after` and `details`. */
  action: ChangeAction;
  /** The caller that made the change. */
  actor: Actor;
  /** The changed fields after the change, as JSON; null if nothing is left, or it isn't recorded. */
  after?: Maybe<Scalars['JSON']['output']>;
  /** The agent that changed, as it is now; null if the entry isn't about an agent. */
  agent?: Maybe<Agent>;
  /** The UUID of the agent that changed; null if the entry isn't about an agent. */
  agentId?: Maybe<Scalars['ID']['output']>;
  /** When the commit got its revision; never earlier than for the revision before. */
  at: Scalars['DateTime']['output'];
  /** The changed fields before the change, as JSON; null if there was nothing before, or it isn't recorded. */
  before?: Maybe<Scalars['JSON']['output']>;
  /**
   * SHA-256 of the previous entry's chain hash and this entry's `rowHash`, as 64 hexadecimal digits. Changing or
   * removing an earlier entry changes it: compare it with a signed head.
   */
  chainHash: Scalars['String']['output'];
  /** The interface that the call came through; null in entries from before this was recorded. */
  channel?: Maybe<Channel>;
  /**
   * The entry's position in the log. Pass it as `after` to a subscription, which then continues with the next
   * entry.
   */
  cursor: Scalars['Cursor']['output'];
  /**
   * The customer whose data changed, as it is now; null for the platform's own entries, and for API keys without
   * `agents:read`.
   */
  customer?: Maybe<Customer>;
  /** The UUID of the customer whose data changed; null for the platform's own entries. */
  customerId?: Maybe<Scalars['ID']['output']>;
  /**
   * All recorded details as a JSON object: `before`, `after`, and for some actions more, such as an activation's
   * `reason`.
   */
  details: Scalars['JSON']['output'];
  /**
   * The environment that changed, or in which a version was activated or an agent deactivated, as it is now; null for other
   * entries.
   */
  environment?: Maybe<Environment>;
  /**
   * The content of `details` by field, with the schema's field names as paths, such as `["billing", "status"]`. A value
   * that was unset is ADDED, and so is a detail that is no field, such as an activation's `reason`.
   */
  fieldChanges: Array<FieldChange>;
  /** Identifies the entry for clients' caches: its revision and position. `node` doesn't know it. */
  id: Scalars['ID']['output'];
  /**
   * The caller's network, such as 192.0.2.0/24 (/48 for IPv6), never its full address. Null if the call didn't
   * come over a network.
   */
  network?: Maybe<Scalars['String']['output']>;
  /**
   * The UUID of the customer that the actor acted for: for users and API keys, the customer whose data changed.
   * Null for operators, services and the system.
   */
  onBehalfOf?: Maybe<Scalars['ID']['output']>;
  /** The entry's position within its commit, starting at 1. */
  position: Scalars['Int']['output'];
  /** The request's id, which its response carried in `X-Request-Id`; null in entries without a request. */
  requestId?: Maybe<Scalars['String']['output']>;
  /** The commit that made the change; other entries of the same commit share it. */
  revision: Scalars['Revision']['output'];
  /** SHA-256 of this entry alone, as 64 hexadecimal digits. */
  rowHash: Scalars['String']['output'];
  /**
   * The other object that changed, as it is now. Null if there is none, it is gone, or you may not see it: API keys and
   * invitations are for ADMINs and operators, service tokens for operators.
   */
  subject?: Maybe<ChangeSubject>;
  /**
   * The UUID of another object that changed: the user, API key, service token or invitation, or the activation's
   * record. Null if there is none.
   */
  subjectId?: Maybe<Scalars['ID']['output']>;
  /** The version that was published or activated; null if there is none. */
  version?: Maybe<AgentVersion>;
  /** The UUID of the version that was published or activated; null if there is none. */
  versionId?: Maybe<Scalars['ID']['output']>;
};

/** The kinds of changes that the log records. */
export type ChangeAction =
  /** A version became its agent's active one. */
  | 'AGENT_ACTIVATED'
  /** An agent was archived. */
  | 'AGENT_ARCHIVED'
  /** An agent was created. */
  | 'AGENT_CREATED'
  /** An agent was deactivated: no version is active. */
  | 'AGENT_DEACTIVATED'
  /** An agent was restored. */
  | 'AGENT_RESTORED'
  /** An agent's name, description or owner changed. */
  | 'AGENT_UPDATED'
  /** An API key was created. */
  | 'API_KEY_CREATED'
  /** An API key was revoked. */
  | 'API_KEY_REVOKED'
  /** An API key got a successor, and an expiry. */
  | 'API_KEY_ROTATED'
  /** A customer's billing status changed. */
  | 'CUSTOMER_BILLING_SET'
  /** A customer was created. */
  | 'CUSTOMER_CREATED'
  /** A CANCELED customer's prompts, names and personal data were erased. */
  | 'CUSTOMER_ERASED'
  /** A customer's plan changed. */
  | 'CUSTOMER_PLAN_SET'
  /** A customer's name changed. */
  | 'CUSTOMER_UPDATED'
  /** An environment was archived. */
  | 'ENVIRONMENT_ARCHIVED'
  /** An environment was created. */
  | 'ENVIRONMENT_CREATED'
  /** An environment was restored. */
  | 'ENVIRONMENT_RESTORED'
  /** An environment's name, rank or rules changed. */
  | 'ENVIRONMENT_UPDATED'
  /** A user got a further identity to sign in by. */
  | 'IDENTITY_LINKED'
  /** Someone was invited to become a member. */
  | 'INVITATION_CREATED'
  /** An invitation was revoked; or it had expired, or was no longer needed, and was replaced or dropped. */
  | 'INVITATION_REVOKED'
  /** All instances read the public keys of the users' issuers again. */
  | 'ISSUER_KEYS_REFRESHED'
  /** The oldest entries of the log were deleted. */
  | 'LOG_PRUNED'
  /** A member left or was removed; the agents that the user owned there have no owner. */
  | 'MEMBER_REMOVED'
  /** A user became a member of a customer, or a member's role changed. */
  | 'MEMBER_SET'
  /** A user became an operator. */
  | 'OPERATOR_ADDED'
  /** A user stopped being an operator. */
  | 'OPERATOR_REMOVED'
  /** A service token was created. */
  | 'SERVICE_TOKEN_CREATED'
  /** A service token was revoked. */
  | 'SERVICE_TOKEN_REVOKED'
  /** A service token got a successor, and an expiry. */
  | 'SERVICE_TOKEN_ROTATED'
  /** A user signed out of the console, or revoked one of its sessions. */
  | 'SESSION_ENDED'
  /** A user signed in to the console. */
  | 'SESSION_STARTED'
  /** A user's profile was created. */
  | 'USER_CREATED'
  /** A user's profile took over the name and address in the user's token, or the user changed its name. */
  | 'USER_UPDATED'
  /** A version was published. */
  | 'VERSION_PUBLISHED';

/** A page of entries of the audit log. */
export type ChangeConnection = {
  __typename?: 'ChangeConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<ChangeEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Change>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/**
 * Entries of the audit log of one group. A field is null when it is not grouped by, and when the entries have no such
 * object.
 */
export type ChangeCount = {
  __typename?: 'ChangeCount';
  /** The kind of change. */
  action?: Maybe<ChangeAction>;
  /** The caller that made the changes. */
  actor?: Maybe<Actor>;
  /** The agent that the entries are about. */
  agent?: Maybe<Agent>;
  /** How many entries there are: at least 1. */
  count: Scalars['Int']['output'];
  /** The customer that the entries are about. */
  customer?: Maybe<Customer>;
  /** The day, in the time zone of the query. */
  day?: Maybe<Scalars['Date']['output']>;
};

/** What entries of the audit log can be counted by. */
export type ChangeCountGroup =
  /** Entries of one action each: `action` is set. */
  | 'ACTION'
  /** Entries of one actor each: `actor` is set. */
  | 'ACTOR'
  /** Entries of one agent each: `agent` is set. */
  | 'AGENT'
  /** Entries of one customer each: `customer` is set. */
  | 'CUSTOMER'
  /** Entries of one day each: `day` is set. */
  | 'DAY';

/** One Change of a page, with its cursor. */
export type ChangeEdge = {
  __typename?: 'ChangeEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Change;
};

/** Conditions on entries of the audit log; all given ones must hold. */
export type ChangeFilter = {
  /** Only these kinds of changes; all kinds if left out. */
  actions?: InputMaybe<Array<ChangeAction>>;
  /** Only changes that this user, API key or service token made. */
  actorId?: InputMaybe<Scalars['ID']['input']>;
  /** Only changes that callers of this kind made. */
  actorKind?: InputMaybe<ActorKind>;
  /** Only entries about this agent. */
  agentId?: InputMaybe<Scalars['ID']['input']>;
  /** Only entries at or after this instant. */
  since?: InputMaybe<Scalars['DateTime']['input']>;
  /** Only entries before this instant. */
  until?: InputMaybe<Scalars['DateTime']['input']>;
};

/**
 * What a change may do to running conversations and deployed executors, from harmless to worst. UNKNOWN is handled as
 * NARROWED.
 */
export type ChangeImpact =
  /** The model may choose other tools; no call is affected. */
  | 'CAPABILITY'
  /** Text for the model differs. */
  | 'CONTENT'
  /** The model differs. */
  | 'MODEL'
  /** A running conversation's calls may be refused, or it may get a result that it doesn't expect. */
  | 'NARROWED'
  /** A running conversation may use what isn't there any more. */
  | 'REMOVED'
  /** Nothing differs between the versions. */
  | 'SAME'
  /** The model's parameters differ. */
  | 'TUNING'
  /** The effect can't be determined. */
  | 'UNKNOWN'
  /** A new conversation may send what a deployed executor doesn't know, or get a result that it doesn't expect. */
  | 'WIDENED';

/** The member, and the new role. */
export type ChangeMemberRoleInput = {
  /** The UUID of the customer. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The role from now on. */
  role: Role;
  /** The UUID of the member's user. */
  userId: Scalars['ID']['input'];
};

/** The result of `changeMemberRole`. */
export type ChangeMemberRolePayload = {
  __typename?: 'ChangeMemberRolePayload';
  /** The membership after the change; null if there are `userErrors`. */
  membership?: Maybe<Membership>;
  /** The commit that set this role, an earlier one if it was set already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the role wasn't changed; empty on success. */
  userErrors: Array<UserError>;
};

/** What an entry of the log is about, besides its agent and version. */
export type ChangeSubject = Activation | ApiKey | Environment | Invitation | ServiceToken | User;

/** The interface that a call came through. */
export type Channel =
  /** The command line on the server. */
  | 'COMMAND'
  /** The console, by a browser's session. */
  | 'CONSOLE'
  /** GraphQL over HTTP, including server-sent events. */
  | 'GRAPHQL'
  /** The REST endpoints of the service. */
  | 'REST'
  /** A task of the service itself, without a request. */
  | 'SERVICE'
  /** GraphQL over a WebSocket. */
  | 'SOCKET';

/** One event of the subscription `configs`. Apply events in the order in which they come. */
export type ConfigEvent = {
  __typename?: 'ConfigEvent';
  /** The UUID of the agent; null for a BOOKMARK. */
  agentId?: Maybe<Scalars['ID']['output']>;
  /** What the agent serves as of this commit; null for REMOVE and BOOKMARK. */
  config?: Maybe<ActiveConfig>;
  /** Pass it as `after` to continue from here; null unless the kind is BOOKMARK. */
  cursor?: Maybe<Scalars['Cursor']['output']>;
  /** Which kind of event this is; it decides which fields are null. */
  kind: ConfigEventKind;
  /** Why the agent isn't served any more; null unless the kind is REMOVE. */
  reason?: Maybe<ConfigEventReason>;
  /** The commit as of which the event is true. For a SNAPSHOT, the commit of the BOOKMARK that follows. */
  revision: Scalars['Revision']['output'];
};

/** The kinds of events that `configs` sends. */
export type ConfigEventKind =
  /** All events up to this commit have been sent: save the cursor. */
  | 'BOOKMARK'
  /** The agent isn't served from this commit on. */
  | 'REMOVE'
  /** A configuration that was served when the subscription began. */
  | 'SNAPSHOT'
  /** A configuration that is served from this commit on, in place of the agent's earlier one. */
  | 'UPSERT';

/** Why an agent isn't served any more. */
export type ConfigEventReason =
  /** The agent was archived. */
  | 'ARCHIVED'
  /** The agent's customer is CANCELED or erased. */
  | 'CANCELED'
  /** The agent has no active version. */
  | 'DEACTIVATED'
  /** A named agent that you may not see, or that does not exist. */
  | 'NOT_FOUND'
  /** The agent's customer is SUSPENDED. */
  | 'SUSPENDED';

/**
 * How many gateways have applied a commit: `applied` + `pending` + `rejected` + `silent` = `gateways`; LATE ones are among
 * the pending ones.
 */
export type Convergence = {
  __typename?: 'Convergence';
  /** After how many seconds all gateways had applied it; null as for `p50Seconds`. */
  allSeconds?: Maybe<Scalars['Float']['output']>;
  /** How many report at least this commit, and refuse nothing of it. */
  applied: Scalars['Int']['output'];
  /**
   * How many gateways may serve it: their token, and their subscription if it is known, reach its customer, its environment
   * and its agent.
   */
  gateways: Scalars['Int']['output'];
  /** Whether no gateway is pending or rejected; silent ones are not waited for. */
  isComplete: Scalars['Boolean']['output'];
  /** How many of the pending ones haven't reported for 90 seconds: state LATE. */
  late: Scalars['Int']['output'];
  /**
   * After how many seconds half of the gateways had applied it, as they reported it. Null until then, and after about half
   * an hour of other reports. Gateways that began with it don't count.
   */
  p50Seconds?: Maybe<Scalars['Float']['output']>;
  /** After how many seconds 90 % of the gateways had applied it; null as for `p50Seconds`. */
  p90Seconds?: Maybe<Scalars['Float']['output']>;
  /** How many haven't reported it yet, or haven't reported for 90 seconds. */
  pending: Scalars['Int']['output'];
  /**
   * The time since which reports are counted, for 90 seconds after earlier ones about this commit may have been lost because
   * the database crashed. Null in the ordinary case.
   */
  recountingSince?: Maybe<Scalars['DateTime']['output']>;
  /** How many refuse the version that it activated. */
  rejected: Scalars['Int']['output'];
  /** The rejections, newest first. */
  rejections: Array<ServingRejection>;
  /** The commit that is counted. */
  revision: Scalars['Revision']['output'];
  /** How many are subscribed and never report. */
  silent: Scalars['Int']['output'];
};


/**
 * How many gateways have applied a commit: `applied` + `pending` + `rejected` + `silent` = `gateways`; LATE ones are among
 * the pending ones.
 */
export type ConvergenceRejectionsArgs = {
  first?: Scalars['Int']['input'];
};

/** The fields of a new agent. */
export type CreateAgentInput = {
  /** The UUID of the customer that the agent will belong to. */
  customerId: Scalars['ID']['input'];
  /** The purpose, for people: at most 2,000 characters. */
  description?: InputMaybe<Scalars['String']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The name, unique within the customer: 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** The user responsible for the agent, who must be a member of the customer. */
  ownerId?: InputMaybe<Scalars['ID']['input']>;
};

/** The result of `createAgent`. */
export type CreateAgentPayload = {
  __typename?: 'CreateAgentPayload';
  /** The agent after the write; null if there are `userErrors`. */
  agent?: Maybe<Agent>;
  /**
   * The commit that brought the agent into this state, an earlier one if nothing had to change; null if
   * there are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was written; empty on success. */
  userErrors: Array<UserError>;
};

/** The fields of a new API key. */
export type CreateApiKeyInput = {
  /** The UUID of the customer that the key will belong to. */
  customerId: Scalars['ID']['input'];
  /**
   * The keys of the environments that the key reaches, 1 to 100; all if left out. Anything in other environments is not
   * there for the key. Not with `AGENTS_WRITE` and `CHANGES_READ`, which reach every environment.
   */
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
  /** When the key stops being accepted, in the future; it doesn't expire if left out. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** A name that says what the key is for, such as `deploy pipeline`: 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** What the key may do: at least one scope. */
  scopes: Array<ApiKeyScope>;
};

/** The result of `createApiKey`. */
export type CreateApiKeyPayload = {
  __typename?: 'CreateApiKeyPayload';
  /** The new key without its secret; null if there are `userErrors`. */
  apiKey?: Maybe<ApiKey>;
  /** The commit that created the key; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /**
   * The bearer token. The service stores only a hash, so save it now. Null after an error, and when an
   * idempotency key is sent again.
   */
  secret?: Maybe<Scalars['String']['output']>;
  /** Why no key was created; empty on success. */
  userErrors: Array<UserError>;
};

/** The fields of a new customer. */
export type CreateCustomerInput = {
  /** Its id in another system, unique: 1 to 200 characters. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The display name: 1 to 200 characters, not unique. */
  name: Scalars['String']['input'];
};

/** The result of `createCustomer`. */
export type CreateCustomerPayload = {
  __typename?: 'CreateCustomerPayload';
  /** The new customer; null if there are `userErrors`. */
  customer?: Maybe<Customer>;
  /** The commit that created the customer; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the customer wasn't created; empty on success. */
  userErrors: Array<UserError>;
};

/** A new environment. Activations there are held to its rules. */
export type CreateEnvironmentInput = {
  /** The lowest role that may activate, roll back and deactivate here: EDITOR or ADMIN. */
  activateRole?: Role;
  /** The only models that versions may use here: 1 to 100 names. Every model if left out. */
  allowedModels?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The UUID of the customer that the environment will belong to. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The name in arguments and inputs: `^[a-z][a-z0-9-]{0,31}$`, unique within the customer. It never changes. */
  key: Scalars['String']['input'];
  /**
   * For how many seconds it must have been active there: at most 31536000 (a year), 0 if left out. Needs
   * `promoteFrom`.
   */
  minSoakSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** The name for people: 1 to 200 characters. */
  name: Scalars['String']['input'];
  /**
   * What happens to an activation whose impact is UNKNOWN, NARROWED or REMOVED. CONFIRM if left out, so such an
   * activation needs `planHash` and `confirm`, and an import of one fails.
   */
  onBreaking?: BreakingPolicy;
  /**
   * The key of the environment in which a version must have been active before it may serve here. Any version may if
   * left out.
   */
  promoteFrom?: InputMaybe<Scalars['String']['input']>;
  /** The place in lists, ascending; after the last one if left out. */
  rank?: InputMaybe<Scalars['Int']['input']>;
};

/** The result of `createEnvironment`. */
export type CreateEnvironmentPayload = {
  __typename?: 'CreateEnvironmentPayload';
  /** The environment after the write; null if there are `userErrors`. */
  environment?: Maybe<Environment>;
  /**
   * The commit that brought the environment into this state, an earlier one if nothing had to change; null if there
   * are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was changed; empty on success, also if nothing had to change. */
  userErrors: Array<UserError>;
};

/** The fields of a new service token. */
export type CreateServiceTokenInput = {
  /**
   * The UUIDs of the only customers that the token will be valid for, 1 to 100; all customers if left out, later ones
   * included.
   */
  customerIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  /**
   * The keys of the environments that the token will reach, the same for every customer: 1 to 100; all if left out.
   * Anything in other environments is not there for the token.
   */
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
  /** When the token stops being accepted, in the future; it doesn't expire if left out. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** A name that says which service uses it, such as `gateway`: 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** What the token may do: at least one scope. */
  scopes: Array<ServiceScope>;
};

/** The result of `createServiceToken`. */
export type CreateServiceTokenPayload = {
  __typename?: 'CreateServiceTokenPayload';
  /** The commit that created the token; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /**
   * The bearer token. The service stores only a hash, so save it now. Null after an error, and when an
   * idempotency key is sent again.
   */
  secret?: Maybe<Scalars['String']['output']>;
  /** The new token without its secret; null if there are `userErrors`. */
  serviceToken?: Maybe<ServiceToken>;
  /** Why no token was created; empty on success. */
  userErrors: Array<UserError>;
};

/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type Customer = Node & {
  __typename?: 'Customer';
  /** Each change of what the customer's agents serve in these environments, newest first. API keys need `agents:read`. */
  activations: ActivationConnection;
  /**
   * The customer's agents, oldest first unless `orderBy` says otherwise, including archived ones. API keys need
   * `agents:read`.
   */
  agents: AgentConnection;
  /**
   * The customer's API keys, newest first, including expired and revoked ones. For ADMINs and operators; null
   * for others.
   */
  apiKeys?: Maybe<ApiKeyConnection>;
  /** The billing state. For members and operators; null for others. */
  billing?: Maybe<Billing>;
  /**
   * The customer's entries of the audit log, newest first. For ADMINs, operators, and API keys with
   * `changes:read`; null for others.
   */
  changes?: Maybe<ChangeConnection>;
  /** When the customer was created. */
  createdAt: Scalars['DateTime']['output'];
  /** The customer's environments, by rank. FORBIDDEN for service tokens, and for API keys without `agents:read`. */
  environments: Array<Environment>;
  /**
   * When the customer's prompts, names and personal data were erased; null if they weren't. Erased versions are
   * empty, but keep their numbers and hashes.
   */
  erasedAt?: Maybe<Scalars['DateTime']['output']>;
  /**
   * Your own name for it in another system, such as a billing system's id: unique, 1 to 200 characters. Null if operators
   * set none.
   */
  externalId?: Maybe<Scalars['String']['output']>;
  /** The customer's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** The open invitations, oldest first; expired ones are left out. For ADMINs and operators; null for others. */
  invitations?: Maybe<InvitationConnection>;
  /** The time of its latest log entry. FORBIDDEN for credentials that are limited to environments. */
  lastActivityAt: Scalars['DateTime']['output'];
  /** The customer's members, ordered by their users' ids. For ADMINs and operators; null for others. */
  members?: Maybe<MembershipConnection>;
  /** The display name: 1 to 200 characters, not unique. `erased` after an erasure. */
  name: Scalars['String']['output'];
  /** The plan that the customer pays for. For its members and operators; null for others. */
  plan?: Maybe<Plan>;
  /** What the customer uses of each limit of its plan. For members and operators; null for others. */
  usage?: Maybe<Usage>;
  /**
   * What you may do here now, to the customer, its agents and what they serve. While the customer is SUSPENDED or
   * CANCELED, only an operator may write: for others it has no writes then, except those that only remove rights
   * (REMOVE_MEMBERS, REVOKE_KEYS).
   */
  viewerPermissions: Array<Permission>;
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerActivationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  reasons?: InputMaybe<Array<ActivationReason>>;
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerAgentsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AgentFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<AgentOrder>;
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerApiKeysArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerChangesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<ChangeFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerEnvironmentsArgs = {
  archived?: Scalars['Boolean']['input'];
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerInvitationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** A tenant: an organisation whose agents, versions and members no other customer sees. */
export type CustomerMembersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** A page of customers. */
export type CustomerConnection = {
  __typename?: 'CustomerConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<CustomerEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Customer>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One Customer of a page, with its cursor. */
export type CustomerEdge = {
  __typename?: 'CustomerEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Customer;
};

/**
 * A change to a customer, its environments, agents or versions. It tells a client what to refetch. Changes of members,
 * invitations and API keys are in `changes` only.
 */
export type CustomerEvent = {
  __typename?: 'CustomerEvent';
  /** The kind of change. CUSTOMER_PLAN_SET and CUSTOMER_BILLING_SET are for members and operators. */
  action: ChangeAction;
  /** The caller that made the change. */
  actor: Actor;
  /** The agent that changed, as it is now; null if the event isn't about an agent. */
  agent?: Maybe<Agent>;
  /** The UUID of the agent that changed; null if the event isn't about an agent. */
  agentId?: Maybe<Scalars['ID']['output']>;
  /** When the commit got its revision; never earlier than for the revision before. */
  at: Scalars['DateTime']['output'];
  /** The event's position in the log. Pass it as `after` to a subscription, which then continues with the next event. */
  cursor: Scalars['Cursor']['output'];
  /** The UUID of the customer whose data changed. */
  customerId: Scalars['ID']['output'];
  /**
   * The key of the environment that changed, or in which a version was activated or an agent deactivated; null for
   * other events.
   */
  environmentKey?: Maybe<Scalars['String']['output']>;
  /** The commit that made the change; other events of the same commit share it. */
  revision: Scalars['Revision']['output'];
  /** The version that was published or activated; null if there is none. */
  version?: Maybe<AgentVersion>;
};

/** Conditions on customers; all given ones must hold. */
export type CustomerFilter = {
  /** Only customers with one of these billing statuses. FORBIDDEN for API keys. */
  billingStatuses?: InputMaybe<Array<BillingStatus>>;
  /** Only customers that were created at or after this instant. */
  createdSince?: InputMaybe<Scalars['DateTime']['input']>;
  /** Only the customer with exactly this `externalId`. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  /** Only customers of these UUIDs, at most 100. */
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Only customers of exactly this name, in the same case. Names aren't unique. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** Only customers whose name contains this text of at most 200 characters, in any case; an empty one filters nothing. */
  nameContains?: InputMaybe<Scalars['String']['input']>;
  /** Only customers with one of these plans. FORBIDDEN for API keys. */
  plans?: InputMaybe<Array<Plan>>;
};

/** The order of a list of customers. Customers of equal values are ordered by age. */
export type CustomerOrder = {
  /** Ascending or descending; rows without a value come last in both. */
  direction?: OrderDirection;
  /** What the customers are ordered by. */
  field: CustomerOrderField;
};

/** What customers can be ordered by. */
export type CustomerOrderField =
  /** When the customer was created. */
  | 'CREATED_AT'
  /** The minute of `lastActivityAt`. FORBIDDEN for credentials that are limited to environments. */
  | 'LAST_ACTIVITY_AT'
  /** The name, in any case, by the code points of its lower-case letters. */
  | 'NAME';

/** The agent to deactivate. */
export type DeactivateInput = {
  /** The UUID of the agent to deactivate. */
  agentId: Scalars['ID']['input'];
  /** The key of the environment; `production` if left out. */
  environment?: InputMaybe<Scalars['String']['input']>;
  /**
   * Fail with CONFLICT if another version than this one is active there now; null expects that none is. Not checked if
   * left out.
   */
  expectedActiveVersionId?: InputMaybe<Scalars['ID']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** Lines that differ, with three lines around them; lines end at LF alone. */
export type DiffHunk = {
  __typename?: 'DiffHunk';
  /** The lines, in the order of a unified diff. */
  lines: Array<DiffLine>;
  /** The number of the hunk's first line in the newer prompt, from 1. */
  newStart: Scalars['Int']['output'];
  /** The number of the hunk's first line in the older prompt, from 1. */
  oldStart: Scalars['Int']['output'];
};

/** A line of a hunk, without its LF. */
export type DiffLine = {
  __typename?: 'DiffLine';
  /** Which of the prompts has the line. */
  kind: DiffLineKind;
  /** The line's text. */
  text: Scalars['String']['output'];
};

/** Which of two prompts has a line. */
export type DiffLineKind =
  /** The newer prompt has it. */
  | 'ADDED'
  /** Both prompts have it. */
  | 'CONTEXT'
  /** The older prompt has it. */
  | 'REMOVED';

/**
 * A place where a customer's agents serve, such as `production` or `staging`. Each customer has `production`, its
 * default for ever, and at most 8.
 */
export type Environment = Node & {
  __typename?: 'Environment';
  /**
   * The lowest role that may activate, roll back and deactivate here: EDITOR or ADMIN. An API key counts as EDITOR, an
   * operator as ADMIN.
   */
  activateRole: Role;
  /** The only models that versions may use here, at most 100; null if they may use every model. */
  allowedModels?: Maybe<Array<Scalars['String']['output']>>;
  /** When the environment was archived; null if it isn't archived. */
  archivedAt?: Maybe<Scalars['DateTime']['output']>;
  /**
   * How many gateways have applied the latest commit that changed what serves here; null before the first. Null without
   * READ_AGENTS.
   */
  convergence?: Maybe<Convergence>;
  /** When the environment was created. */
  createdAt: Scalars['DateTime']['output'];
  /**
   * The customer that the environment belongs to. FORBIDDEN for service tokens, and for API keys without
   * `agents:read`.
   */
  customer: Customer;
  /** The environment's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** True for `production` alone. */
  isDefault: Scalars['Boolean']['output'];
  /**
   * The name in arguments and inputs: `^[a-z][a-z0-9-]{0,31}$`, unique within the customer, also among archived
   * environments. It never changes.
   */
  key: Scalars['String']['output'];
  /** For how many seconds the version must have been active there; 0 if `promoteFrom` is null. */
  minSoakSeconds: Scalars['Int']['output'];
  /** The name for people: 1 to 200 characters, not unique. Erasing the customer replaces it. */
  name: Scalars['String']['output'];
  /** What happens to a plan whose impact is UNKNOWN, NARROWED or REMOVED. */
  onBreaking: BreakingPolicy;
  /** The environment in which a version must have been active before it may serve here; null if any version may. */
  promoteFrom?: Maybe<Environment>;
  /** The place in lists, ascending. */
  rank: Scalars['Int']['output'];
};

/** The customer to erase. */
export type EraseCustomerInput = {
  /** The UUID of the customer, whose status must be CANCELED. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `eraseCustomer`. */
export type EraseCustomerPayload = {
  __typename?: 'EraseCustomerPayload';
  /** The customer after the erasure; null if there are `userErrors`. */
  customer?: Maybe<Customer>;
  /**
   * The commit that erased the customer, an earlier one if it was erased already; null if there are
   * `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the customer wasn't erased; empty on success. */
  userErrors: Array<UserError>;
};

/** A value that differs, by its path. */
export type FieldChange = {
  __typename?: 'FieldChange';
  /** The value afterwards, in the newer version; null if there is none. */
  after?: Maybe<Scalars['JSON']['output']>;
  /** The value before, in the older version; null if there is none. */
  before?: Maybe<Scalars['JSON']['output']>;
  /** How it differs. */
  kind: FieldChangeKind;
  /** The place, such as `["modelParameters", "temperature"]`. A tool is named by its name. */
  path: Array<Scalars['String']['output']>;
};

/** How a value differs. */
export type FieldChangeKind =
  /** Only the newer version has it, or it was unset before. */
  | 'ADDED'
  /** Both have it, with other values. */
  | 'CHANGED'
  /** Only the older version has it, or it is unset now. */
  | 'REMOVED'
  /** A list with the same elements in another order. */
  | 'REORDERED';

/** One thing that differs, and what it may do. */
export type Finding = {
  __typename?: 'Finding';
  /** The value at this path in the newer version; null if there is none, for the prompt and for whole tools. */
  after?: Maybe<Scalars['JSON']['output']>;
  /** The value at this path in the older version; null if there is none, for the prompt and for whole tools. */
  before?: Maybe<Scalars['JSON']['output']>;
  /** What it may do, at worst. */
  impact: ChangeImpact;
  /** A sentence for people: "`find_section` now requires `city`". Its wording may change. */
  message: Scalars['String']['output'];
  /**
   * The place, such as `["tools", "find_section", "inputSchema", "required"]`: a tool is named by its name. Empty for
   * the whole content.
   */
  path: Array<Scalars['String']['output']>;
  /** The name of the tool that differs; null outside of tools. */
  toolName?: Maybe<Scalars['String']['output']>;
};

/**
 * A process that runs agents and says what it serves. For operators. Kept for an hour after its last report; never in the
 * audit log. Its own words are shown as they are, and decide nothing.
 */
export type Gateway = {
  __typename?: 'Gateway';
  /** The service token or API key that it uses. */
  actor: Actor;
  /** The last revision that it reported as applied; null if it never reports. */
  appliedRevision?: Maybe<Scalars['Revision']['output']>;
  /**
   * How many commits after `appliedRevision` changed what serves at its customers in its environment, as far as the newest
   * 1,000 of each kind of activation go. 0 if it never reports.
   */
  behind: Scalars['Int']['output'];
  /** The build that it runs, in its own words, such as a commit; null if it doesn't say. */
  build?: Maybe<Scalars['String']['output']>;
  /** `clientInfo.name` of its `connection_init`; null if it sent none, or reports by HTTP. */
  clientName?: Maybe<Scalars['String']['output']>;
  /** `clientInfo.version` of its `connection_init`; null if it sent none, or reports by HTTP. */
  clientVersion?: Maybe<Scalars['String']['output']>;
  /**
   * The last revision that was sent to its subscription, at most about five seconds old. Null while it isn't subscribed,
   * and if it doesn't report on the socket of its only subscription, since it isn't known which one is its own.
   */
  deliveredRevision?: Maybe<Scalars['Revision']['output']>;
  /** The key of the environment whose configurations it serves. */
  environmentKey: Scalars['String']['output'];
  /** The gateway's UUID, for clients' caches; not for `node`. Another one after an hour without a report. */
  id: Scalars['ID']['output'];
  /** The time of its latest report; null if it never reports. */
  lastReportAt?: Maybe<Scalars['DateTime']['output']>;
  /** The name that it chose, unique within its token and environment. For one that never reports, its token's name. */
  name: Scalars['String']['output'];
  /** The region in its own words, such as `eu-1`; null if it doesn't say. */
  region?: Maybe<Scalars['String']['output']>;
  /** The versions that it refuses now, newest first, at most 100. */
  rejections: Array<ServingRejection>;
  /** The time of its first report. For one that never reports, the beginning of its subscription. */
  since: Scalars['DateTime']['output'];
  /** Whether it reports, by the clock of the instance that answers. */
  state: GatewayState;
};


/**
 * A process that runs agents and says what it serves. For operators. Kept for an hour after its last report; never in the
 * audit log. Its own words are shown as they are, and decide nothing.
 */
export type GatewayRejectionsArgs = {
  first?: Scalars['Int']['input'];
};

/** A page of gateways. */
export type GatewayConnection = {
  __typename?: 'GatewayConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<GatewayEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Gateway>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One Gateway of a page, with its cursor. */
export type GatewayEdge = {
  __typename?: 'GatewayEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Gateway;
};

/** Which of the gateways. */
export type GatewayFilter = {
  /** True: only those with `behind` over 0 or with rejections. False: only the others. */
  isBehind?: InputMaybe<Scalars['Boolean']['input']>;
  /** Only those that report exactly this region. */
  region?: InputMaybe<Scalars['String']['input']>;
  /** Only those in one of these states. */
  states?: InputMaybe<Array<GatewayState>>;
};

/** Whether a gateway reports. */
export type GatewayState =
  /** It hasn't reported for an hour, or has ended its subscription without ever reporting. */
  | 'GONE'
  /** It reported before, but not for 90 seconds. */
  | 'LATE'
  /** It reported within 90 seconds. */
  | 'LIVE'
  /** It is subscribed to `configs`, and never reports. */
  | 'SILENT';

/** A name by which a person signs in. */
export type Identity = {
  __typename?: 'Identity';
  /** The issuer of the person's tokens: their `iss` claim. */
  issuer: Scalars['String']['output'];
  /** The person's name at the issuer: the `sub` claim. */
  subject: Scalars['String']['output'];
};

/** The instance that answers. For operators. */
export type Instance = {
  __typename?: 'Instance';
  /** How many commits of the log the instance hasn't applied yet; 0 if the database doesn't respond. */
  behind: Scalars['Int']['output'];
  /** Why `/readyz` fails; empty if the instance is ready. */
  problems: Array<Scalars['String']['output']>;
  /** The last commit that the instance has applied. */
  revision: Scalars['Revision']['output'];
  /** When the instance started. */
  startedAt: Scalars['DateTime']['output'];
  /** The version of the program. */
  version: Scalars['String']['output'];
  /** How many subscriptions run on the instance; `Query.watchers` lists them. */
  watchers: Scalars['Int']['output'];
};

/** An open invitation to become a member of a customer. */
export type Invitation = Node & {
  __typename?: 'Invitation';
  /**
   * The console's page that signs in and accepts, to send to the invited person. It holds no secret: only a token with
   * the verified address accepts. Null without PUBLIC_URL.
   */
  acceptUrl?: Maybe<Scalars['String']['output']>;
  /** When the invitation was created. */
  createdAt: Scalars['DateTime']['output'];
  /**
   * The invited e-mail address, in lower case. A user becomes a member by signing in with a token whose issuer
   * has verified this address.
   */
  email: Scalars['String']['output'];
  /** When the invitation expires, 14 days after it was created. */
  expiresAt: Scalars['DateTime']['output'];
  /** The invitation's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** The user or operator who created the invitation. */
  invitedBy: Actor;
  /** The role that the new member will have. */
  role: Role;
};

/** What an invitation waits for. */
export type InvitationBlock =
  /** The customer is canceled. */
  | 'CANCELED'
  /** The issuer of your token hasn't verified your address. */
  | 'EMAIL_NOT_VERIFIED'
  /** The customer has as many members as its plan allows. */
  | 'LIMIT_REACHED'
  /** The customer is suspended. */
  | 'SUSPENDED';

/** A page of open invitations. */
export type InvitationConnection = {
  __typename?: 'InvitationConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<InvitationEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Invitation>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One Invitation of a page, with its cursor. */
export type InvitationEdge = {
  __typename?: 'InvitationEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Invitation;
};

/** The address to invite, and the role. */
export type InviteMemberInput = {
  /** The UUID of the customer to join. */
  customerId: Scalars['ID']['input'];
  /** The e-mail address, such as `ada@example.org`: at most 254 characters, in any case. */
  email: Scalars['String']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The role that the new member will have. */
  role: Role;
};

/** The result of `inviteMember`. */
export type InviteMemberPayload = {
  __typename?: 'InviteMemberPayload';
  /**
   * The invitation, the open one if the address was invited in this role already; null if there are
   * `userErrors`.
   */
  invitation?: Maybe<Invitation>;
  /** The commit that created the invitation; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why no invitation was created; empty on success. */
  userErrors: Array<UserError>;
};

/** A user, and the identity to link to it. */
export type LinkIdentityInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The issuer of the identity's tokens: their `iss` claim, unchanged. */
  issuer: Scalars['String']['input'];
  /** The name at the issuer: the `sub` claim, 1 to 255 characters. */
  subject: Scalars['String']['input'];
  /** The UUID of the user. */
  userId: Scalars['ID']['input'];
};

/** The result of `linkIdentity`. */
export type LinkIdentityPayload = {
  __typename?: 'LinkIdentityPayload';
  /** The commit that linked the identity, an earlier one if it was linked already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** The user with its new identity; null if there are `userErrors`. */
  user?: Maybe<User>;
  /** Why the identity wasn't linked; empty on success. */
  userErrors: Array<UserError>;
};

/** A user's membership of a customer, with the role that the user holds there. */
export type Membership = {
  __typename?: 'Membership';
  /** When the user became a member. */
  createdAt: Scalars['DateTime']['output'];
  /** The customer that the user is a member of. */
  customer: Customer;
  /** The member's e-mail address; null if unknown. For the customer's ADMINs and operators. */
  email?: Maybe<Scalars['String']['output']>;
  /** Identifies the membership for clients' caches. `node` doesn't know it. */
  id: Scalars['ID']['output'];
  /** The member's role at this customer, which decides the rights there. */
  role: Role;
  /** Whether a person gave the membership, or the identity provider's roles. */
  source: MembershipSource;
  /** The user who is the member. */
  user: User;
};

/** A page of members. */
export type MembershipConnection = {
  __typename?: 'MembershipConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<MembershipEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Membership>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One Membership of a page, with its cursor. */
export type MembershipEdge = {
  __typename?: 'MembershipEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Membership;
};

/** What gave a membership. */
export type MembershipSource =
  /**
   * Roles or groups in the tokens of the user's identity provider. They change CLAIM memberships alone; a person who
   * changes the role makes it MANUAL.
   */
  | 'CLAIM'
  /** A person: an invitation, an ADMIN or an operator. */
  | 'MANUAL';

/** A model, and how much uses it. */
export type ModelInUse = {
  __typename?: 'ModelInUse';
  /** How many agents serve a version with this model. */
  agentCount: Scalars['Int']['output'];
  /** How many customers these agents are of. */
  customerCount: Scalars['Int']['output'];
  /** The latest activation of one of these versions. */
  lastActivatedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The model's name, as versions have it. */
  name: Scalars['String']['output'];
  /** How many active versions use it. */
  versionCount: Scalars['Int']['output'];
};

/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type Mutation = {
  __typename?: 'Mutation';
  /**
   * Makes a version its agent's active one in an environment, which is served there from the commit on. Activating the active version
   * again changes nothing. Needs EDITOR or `versions:activate`. Fails with ARCHIVED for an archived agent.
   */
  activateVersion: ActivateVersionPayload;
  /**
   * Makes a person or a machine a member at once, by issuer and subject, where tokens contain no address;
   * `inviteMember` is for addresses. A member gets the role. Fails with LIMIT_REACHED beyond the plan,
   * and for ADMINs with ALREADY_EXISTS for a person whom other customers know. For the customer's ADMINs and
   * operators.
   */
  addMember: AddMemberPayload;
  /** Makes a person an operator, with all rights at all customers. For operators. */
  addOperator: AddOperatorPayload;
  /**
   * Archives an agent: deactivates it, and rejects new versions and activations with ARCHIVED until it's
   * restored. It keeps its name, and still counts against the plan. Needs EDITOR or `agents:write`.
   */
  archiveAgent: ArchiveAgentPayload;
  /**
   * Archives an environment that serves nothing. Its key stays reserved. For the customer's ADMINs and operators. Fails
   * with INVALID for `production`, while an agent serves there, and while another environment promotes from it.
   */
  archiveEnvironment: ArchiveEnvironmentPayload;
  /**
   * Gives a member another role. Subscriptions that a lower role doesn't allow end within a second. Fails with
   * CONFLICT for the customer's last ADMIN. For its ADMINs and operators.
   */
  changeMemberRole: ChangeMemberRolePayload;
  /**
   * Creates an agent without versions. Needs EDITOR or `agents:write`. Fails with ALREADY_EXISTS for a name that
   * is taken, and with LIMIT_REACHED beyond the plan.
   */
  createAgent: CreateAgentPayload;
  /**
   * Creates an API key for a program of the customer. For its ADMINs and operators. Fails with LIMIT_REACHED
   * beyond the plan, which counts the keys that are accepted.
   */
  createApiKey: CreateApiKeyPayload;
  /** Creates a customer with plan FREE and billing status ACTIVE. For operators. */
  createCustomer: CreateCustomerPayload;
  /**
   * Creates an environment, in which nothing serves yet. For the customer's ADMINs and operators. Fails with
   * LIMIT_REACHED beyond the plan, which doesn't count archived ones.
   */
  createEnvironment: CreateEnvironmentPayload;
  /** Creates a credential for one of the platform's own services, for all customers or for some. For operators. */
  createServiceToken: CreateServiceTokenPayload;
  /** Ends serving in an environment: the agent has no active version there from the commit on. Needs EDITOR or `versions:activate`. */
  deactivate: ActivateVersionPayload;
  /**
   * Erases a CANCELED customer for good: prompts, names, members, invitations and API keys. Numbers, hashes and
   * the audit log stay. Fails with INVALID for another status. For operators.
   */
  eraseCustomer: EraseCustomerPayload;
  /**
   * Invites an e-mail address: its owner becomes a member by signing in within 14 days with a token whose issuer
   * has verified the address. If a member has the address, its owner signs in as that member from then on, in the
   * member's role. No e-mail is sent; tell them yourself. For the customer's ADMINs and operators. Fails with
   * ALREADY_EXISTS for an open invitation in another role, and with LIMIT_REACHED beyond the plan.
   */
  inviteMember: InviteMemberPayload;
  /**
   * Links a further identity to a user, so that both sign in as the same person, with the same rights. Fails with
   * ALREADY_EXISTS if the identity is another user's. For operators.
   */
  linkIdentity: LinkIdentityPayload;
  /**
   * Activates in one environment the version that is active in another, if both are as you expect. Needs EDITOR or
   * `versions:activate`. Fails with CONFLICT if either has moved, with ARCHIVED for an archived agent, and with NOT_FOUND
   * for an environment that the customer doesn't have.
   */
  promoteVersion: ActivateVersionPayload;
  /**
   * Publishes an immutable version under the agent's next number. It's served only if activated, at once with
   * `activate` or later. Needs EDITOR or `versions:publish`. Fails with ARCHIVED, and with LIMIT_REACHED beyond
   * the plan.
   */
  publishVersion: PublishVersionPayload;
  /**
   * Ends a user's membership: the user loses all access to the customer, its subscriptions to the customer end
   * within a second, and the agents that the user owned have no owner. Fails with CONFLICT for the customer's
   * last ADMIN. For its ADMINs and operators.
   */
  removeMember: RemoveMemberPayload;
  /**
   * Removes an operator; the person's sessions lose these rights within a second. Fails with CONFLICT for the last
   * operator. For operators.
   */
  removeOperator: RemoveOperatorPayload;
  /**
   * Reports which revision a gateway has applied, and what it refuses. Takes up to a second, since reports are stored
   * together. Of several reports within a second only the last one is stored. Needs `activations:watch` or
   * `configs:read`; FORBIDDEN for people.
   */
  reportServing: ReportServingPayload;
  /** Restores an archived agent. It serves nothing until you activate a version. Needs EDITOR or `agents:write`. */
  restoreAgent: RestoreAgentPayload;
  /**
   * Restores an archived environment, in which nothing serves. For the customer's ADMINs and operators. Fails with
   * LIMIT_REACHED beyond the plan.
   */
  restoreEnvironment: RestoreEnvironmentPayload;
  /**
   * Revokes an API key at once, for suspended customers too; subscriptions that use it end within a second. For
   * the customer's ADMINs and operators.
   */
  revokeApiKey: RevokeApiKeyPayload;
  /**
   * Revokes an open invitation. Fails with NOT_FOUND if it was accepted or revoked before. For the customer's
   * ADMINs and operators.
   */
  revokeInvitation: RevokeInvitationPayload;
  /**
   * Revokes all of your console sessions except the current one; all of them, if you send a token. Fails with NOT_FOUND
   * if you have no profile. FORBIDDEN for programs.
   */
  revokeOtherSessions: RevokeOtherSessionsPayload;
  /** Revokes a service token at once; subscriptions that use it end within a second. For operators. */
  revokeServiceToken: RevokeServiceTokenPayload;
  /**
   * Revokes one of your console sessions; its sockets and event streams close within a second. Fails with NOT_FOUND if
   * you have no profile. FORBIDDEN for programs.
   */
  revokeSession: RevokeSessionPayload;
  /**
   * Goes back to a version that was active before in the same environment, past each version that a rollback has left: only
   * `activateVersion` and `publishVersion` bring such a version back. After `deactivate`, or `archiveAgent` and
   * `restoreAgent`, it returns to the version that served before. `Agent.rollbackTarget` is the version that it
   * would activate. Needs EDITOR or `versions:activate`. Fails with INVALID if there is no version to go back to,
   * and with ARCHIVED for an archived agent.
   */
  rollback: ActivateVersionPayload;
  /**
   * Creates a successor with the same name, scopes and expiry; the old key is still accepted for the overlap. At
   * most two keys of such a line are accepted: rotating the successor revokes the oldest. For the customer's
   * ADMINs and operators.
   */
  rotateApiKey: RotateApiKeyPayload;
  /**
   * Creates a successor with the same name, scopes, customers, environments and expiry; the old token is still accepted for the
   * overlap. At most two tokens of such a line are accepted: rotating the successor revokes the oldest. For operators.
   */
  rotateServiceToken: RotateServiceTokenPayload;
  /**
   * Sets a customer's billing status. From the commit on, a SUSPENDED or CANCELED customer's configurations
   * aren't served. Fails with INVALID for a step that isn't allowed. For operators.
   */
  setBillingStatus: SetBillingStatusPayload;
  /** Sets a customer's plan. For operators. Nothing is deleted if the customer has more than the new plan allows. */
  setPlan: SetPlanPayload;
  /**
   * Changes an agent's name, description or owner; its versions stay as they are. A new name also changes the
   * served configuration. Needs EDITOR or `agents:write`.
   */
  updateAgent: UpdateAgentPayload;
  /**
   * Changes a customer's name, or its id in another system. For its ADMINs and operators. Fails with SUSPENDED or CANCELED while the customer isn't
   * served, unless an operator does it.
   */
  updateCustomer: UpdateCustomerPayload;
  /** Updates an environment's name, rank or rules; its key never changes. For the customer's ADMINs and operators. */
  updateEnvironment: UpdateEnvironmentPayload;
  /**
   * Changes your own display name. Fails with NOT_FOUND if you have no profile yet, which an accepted invitation or
   * an operator's first write creates. FORBIDDEN for programs.
   */
  updateProfile: UpdateProfilePayload;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationActivateVersionArgs = {
  input: ActivateVersionInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationAddMemberArgs = {
  input: AddMemberInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationAddOperatorArgs = {
  input: AddOperatorInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationArchiveAgentArgs = {
  input: ArchiveAgentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationArchiveEnvironmentArgs = {
  input: ArchiveEnvironmentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationChangeMemberRoleArgs = {
  input: ChangeMemberRoleInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationCreateAgentArgs = {
  input: CreateAgentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationCreateApiKeyArgs = {
  input: CreateApiKeyInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationCreateCustomerArgs = {
  input: CreateCustomerInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationCreateEnvironmentArgs = {
  input: CreateEnvironmentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationCreateServiceTokenArgs = {
  input: CreateServiceTokenInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationDeactivateArgs = {
  input: DeactivateInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationEraseCustomerArgs = {
  input: EraseCustomerInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationInviteMemberArgs = {
  input: InviteMemberInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationLinkIdentityArgs = {
  input: LinkIdentityInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationPromoteVersionArgs = {
  input: PromoteVersionInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationPublishVersionArgs = {
  input: PublishVersionInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRemoveMemberArgs = {
  input: RemoveMemberInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRemoveOperatorArgs = {
  input: RemoveOperatorInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationReportServingArgs = {
  input: ReportServingInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRestoreAgentArgs = {
  input: RestoreAgentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRestoreEnvironmentArgs = {
  input: RestoreEnvironmentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRevokeApiKeyArgs = {
  input: RevokeApiKeyInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRevokeInvitationArgs = {
  input: RevokeInvitationInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRevokeOtherSessionsArgs = {
  input: RevokeOtherSessionsInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRevokeServiceTokenArgs = {
  input: RevokeServiceTokenInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRevokeSessionArgs = {
  input: RevokeSessionInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRollbackArgs = {
  input: RollbackInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRotateApiKeyArgs = {
  input: RotateApiKeyInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationRotateServiceTokenArgs = {
  input: RotateServiceTokenInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationSetBillingStatusArgs = {
  input: SetBillingStatusInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationSetPlanArgs = {
  input: SetPlanInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationUpdateAgentArgs = {
  input: UpdateAgentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationUpdateCustomerArgs = {
  input: UpdateCustomerInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationUpdateEnvironmentArgs = {
  input: UpdateEnvironmentInput;
};


/**
 * Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct are
 * in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`. After 15
 * seconds a mutation fails with UNAVAILABLE, but it may still commit.
 */
export type MutationUpdateProfileArgs = {
  input: UpdateProfileInput;
};

/** An object that `node` and `nodes` find by its id alone. */
export type Node = {
  /** The object's UUID, unique across all types. */
  id: Scalars['ID']['output'];
};

/** An agent without an active configuration. */
export type NotServed = {
  __typename?: 'NotServed';
  /** The UUID that was asked for. */
  agentId: Scalars['ID']['output'];
  /** The key of the environment that was asked for. */
  environmentKey: Scalars['String']['output'];
  /** Why nothing is served. */
  reason: NotServedReason;
  /** The commit that the reason began with; null for NOT_FOUND, and when the log has been pruned beyond it. */
  revision?: Maybe<Scalars['Revision']['output']>;
};

/** Why nothing is served. */
export type NotServedReason =
  /** The agent is archived. */
  | 'ARCHIVED'
  /** The agent's customer is CANCELED. */
  | 'CANCELED'
  /** `deactivate` ended serving, or `archiveAgent` did and `restoreAgent` followed. */
  | 'DEACTIVATED'
  /** The data of the agent's customer was erased. */
  | 'ERASED'
  /** No version was ever active. */
  | 'NEVER_ACTIVATED'
  /** There is no such agent or environment that you can see. */
  | 'NOT_FOUND'
  /** The agent's customer is SUSPENDED. */
  | 'SUSPENDED';

/** The direction of an order. Objects without a value come last in both. */
export type OrderDirection =
  /** The smallest value first: A before B, earlier before later. */
  | 'ASC'
  /** The greatest value first. */
  | 'DESC';

/** The position of a page within its list (Relay Cursor Connections, section 5). */
export type PageInfo = {
  __typename?: 'PageInfo';
  /** The last edge's cursor, to pass as `after`; null on an empty page. */
  endCursor?: Maybe<Scalars['String']['output']>;
  /** Whether the list continues after this page. When you page with `last`: whether `before` was given. */
  hasNextPage: Scalars['Boolean']['output'];
  /** Whether the list has objects before this page. When you page with `first`: whether `after` was given. */
  hasPreviousPage: Scalars['Boolean']['output'];
  /** The first edge's cursor, to pass as `before`; null on an empty page. */
  startCursor?: Maybe<Scalars['String']['output']>;
};

/** An invitation to your address that has not made you a member yet. */
export type PendingInvitation = {
  __typename?: 'PendingInvitation';
  /** What the invitation waits for. Null if your next sign-in accepts it. */
  blockedBy?: Maybe<InvitationBlock>;
  /** The name of the customer that has invited you. Null until your address is verified. */
  customerName?: Maybe<Scalars['String']['output']>;
  /** When the invitation expires. */
  expiresAt: Scalars['DateTime']['output'];
  /** The role that you will have. Null until your address is verified. */
  role?: Maybe<Role>;
};

/**
 * A right that a caller can have: see `viewerPermissions` of `Customer`, `Agent` and `Serving`, and
 * `Viewer.platformPermissions`.
 */
export type Permission =
  /** Activate versions, roll back and deactivate. */
  | 'ACTIVATE_VERSIONS'
  /** Create customers; for operators. */
  | 'CREATE_CUSTOMER'
  /** Erase the data of a CANCELED customer; for operators. */
  | 'ERASE_CUSTOMER'
  /** Export a customer's agents with all their versions, as a file. */
  | 'EXPORT_AGENTS'
  /** Import agents with all their versions from a file. */
  | 'IMPORT_AGENTS'
  /** Set a customer's plan and billing status; for operators. */
  | 'MANAGE_BILLING'
  /** Create, change, archive and restore environments. */
  | 'MANAGE_ENVIRONMENTS'
  /** Create and rotate a customer's API keys. */
  | 'MANAGE_KEYS'
  /** Invite members, and change members' roles. */
  | 'MANAGE_MEMBERS'
  /**
   * Create, rotate and revoke service tokens, add and remove operators, and list tokens, people and the
   * subscriptions of an instance; for operators.
   */
  | 'MANAGE_PLATFORM'
  /** Publish versions of agents. */
  | 'PUBLISH_VERSIONS'
  /** Read and list customers, agents, versions and activations. */
  | 'READ_AGENTS'
  /** Read a customer's plan, usage and billing status. */
  | 'READ_BILLING'
  /** Read the audit log, and subscribe to it. */
  | 'READ_CHANGES'
  /** Read the active configurations of agents. */
  | 'READ_CONFIGS'
  /** Read the content of versions: prompts, parameters and tools. */
  | 'READ_CONTENT'
  /** Read gateways by their names, with their regions and builds; for operators. */
  | 'READ_GATEWAYS'
  /** Read a customer's API keys, without their secrets. */
  | 'READ_KEYS'
  /** Read a customer's members and open invitations, with e-mail addresses. */
  | 'READ_MEMBERS'
  /** Read descriptions of agents and messages of versions, which people wrote for people. */
  | 'READ_NOTES'
  /** Read who did something. */
  | 'READ_PEOPLE'
  /** Read an agent or version that another object leads to, such as an activation or a mutation's payload. */
  | 'READ_SERVING'
  /** Remove members, and revoke invitations. */
  | 'REMOVE_MEMBERS'
  /** Revoke a customer's API keys. */
  | 'REVOKE_KEYS'
  /** Change a customer's name. */
  | 'UPDATE_CUSTOMER'
  /** Subscribe to activations; together with READ_CONFIGS, also to configurations. */
  | 'WATCH_ACTIVATIONS'
  /** Create, update, archive and restore agents. */
  | 'WRITE_AGENTS';

/**
 * A version that serves or has served in an environment of your credential, for conversations that began with it. Never
 * changes.
 */
export type PinnedConfig = {
  __typename?: 'PinnedConfig';
  /** The UUID of the agent. */
  agentId: Scalars['ID']['output'];
  /** SHA-256, as 64 hexadecimal digits, over the exact bytes that are served; the same as `AgentVersion.bytesHash`. */
  bytesHash: Scalars['String']['output'];
  /** SHA-256, as 64 hexadecimal digits, of the content as canonical JSON; the same as `AgentVersion.contentHash`. */
  contentHash: Scalars['String']['output'];
  /** The UUID of the agent's customer. */
  customerId: Scalars['ID']['output'];
  /**
   * Further settings for gateways, as they were published: a JSON object whose keys are URIs or reverse domains; `{}` if
   * there are none.
   */
  extensions: Scalars['JSON']['output'];
  /** The model's name, such as `gpt-4-turbo`. */
  modelName: Scalars['String']['output'];
  /**
   * The model's settings, such as `temperature`: a JSON object of at most 64 KiB, with the order of keys and the
   * numbers that were published.
   */
  modelParameters: Scalars['JSON']['output'];
  /** The system prompt: at most 512 KiB of UTF-8, may be empty. */
  systemPrompt: Scalars['String']['output'];
  /** The tools that the model may call, at most 128, in the order in which they were published. */
  tools: Array<Tool>;
  /** The UUID of the version. */
  versionId: Scalars['ID']['output'];
  /** The version's number within its agent. */
  versionNumber: Scalars['Int']['output'];
};

/** The plan that a customer pays for. It sets the limits in `Customer.usage`. */
export type Plan =
  /** The plan for a city with all its departments: the highest limits. */
  | 'ENTERPRISE'
  /** The plan of a new customer, for evaluation: the lowest limits. */
  | 'FREE'
  /** The plan for one team. */
  | 'PRO';

/**
 * What the environment's rules say to the activation. It may fail for other reasons, such as your scopes, an archived agent
 * or a suspended customer.
 */
export type PlanDecision =
  /** The rules let the activation through as it is. */
  | 'ALLOW'
  /** The activation needs `planHash`, and `confirm` with each impact of `mustConfirm`. */
  | 'CONFIRM'
  /** The rules refuse the activation. */
  | 'REFUSE';

/** How much a plan allows. `Customer.usage` has what a customer uses of it. */
export type PlanLimits = {
  __typename?: 'PlanLimits';
  /** Agents, including archived ones. */
  agents: Scalars['Int']['output'];
  /** API keys that are accepted: expired and revoked ones don't count. */
  apiKeys: Scalars['Int']['output'];
  /** Environments, without archived ones. */
  environments: Scalars['Int']['output'];
  /** Members and open invitations together. */
  members: Scalars['Int']['output'];
  /** The plan that has these limits. */
  plan: Plan;
  /** Requests of up to 10,000 points per second, of each user and each API key in the long run. */
  requestsPerSecond: Scalars['Int']['output'];
  /** Versions of one agent. */
  versionsPerAgent: Scalars['Int']['output'];
};

/** What a rule does to the activation. */
export type PolicyEffect =
  /** The activation needs `confirm`. */
  | 'CONFIRM'
  /** The rule does nothing to it: for the reader. */
  | 'INFO'
  /** The activation fails with POLICY_REFUSED, or with NOT_PROMOTABLE for `PROMOTE_FROM` and `MIN_SOAK`. */
  | 'REFUSE';

/** What a rule of the environment says to the plan. */
export type PolicyFinding = {
  __typename?: 'PolicyFinding';
  /** What the rule does to the activation. */
  effect: PolicyEffect;
  /** A sentence for people; its wording may change. */
  message: Scalars['String']['output'];
  /** The rule that says it. */
  rule: PolicyRule;
};

/** A rule that a plan is held to. New ones may be added. */
export type PolicyRule =
  /** The caller must have the environment's `activateRole`. */
  | 'ACTIVATE_ROLE'
  /** The model must be one of the environment's `allowedModels`. */
  | 'ALLOWED_MODELS'
  /** The version must have been active there for `minSoakSeconds`, all periods together. */
  | 'MIN_SOAK'
  /** An UNKNOWN, NARROWED or REMOVED impact is handled as the environment's `onBreaking` says. */
  | 'ON_BREAKING'
  /** The version must have been active in the environment `promoteFrom`. */
  | 'PROMOTE_FROM'
  /** The prompt holds what looks like a secret. Needs `confirm` where `onBreaking` isn't ALLOW. */
  | 'SECRET_IN_PROMPT';

/**
 * The agent whose version to take from one environment to another. The active versions of both are compared in the commit that
 * activates the version.
 */
export type PromoteVersionInput = {
  /** The UUID of the agent. */
  agentId: Scalars['ID']['input'];
  /** The impacts that you accept, when the plan's decision is CONFIRM. Needs `planHash`. */
  confirm?: InputMaybe<Array<ChangeImpact>>;
  /** Fail with CONFLICT if another version than this one is active in `fromEnvironment`. */
  expectedFromVersionId: Scalars['ID']['input'];
  /**
   * Fail with CONFLICT if another version than this one is active in `toEnvironment`; null, or left out, expects that
   * none is.
   */
  expectedToVersionId?: InputMaybe<Scalars['ID']['input']>;
  /** The key of the environment whose active version to take. */
  fromEnvironment: Scalars['String']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * Fail with PLAN_CHANGED, and answer the new plan, if this isn't the plan any more: the `planHash` of an
   * `activationPlan`.
   */
  planHash?: InputMaybe<Scalars['String']['input']>;
  /** The key of the environment in which to activate it. */
  toEnvironment: Scalars['String']['input'];
};

/** The content of a new version. */
export type PublishVersionInput = {
  /** Whether to activate the version in the same commit. That also needs the right to activate. */
  activate?: Scalars['Boolean']['input'];
  /** The UUID of the agent to publish for. */
  agentId: Scalars['ID']['input'];
  /** With `activate`: the impacts that you accept, when the plan's decision is CONFIRM. Needs `planHash`. */
  confirm?: InputMaybe<Array<ChangeImpact>>;
  /** With `activate`: the key of the environment in which to activate it; `production` if left out. */
  environment?: InputMaybe<Scalars['String']['input']>;
  /**
   * Fail with CONFLICT if the newest version's number isn't this one; 0 expects that there is no version. Not
   * checked if left out.
   */
  expectedLatestNumber?: InputMaybe<Scalars['Int']['input']>;
  /**
   * Further settings for your gateways, such as MCP servers, skills, handoffs and response formats: a JSON object of
   * at most 128 members and 256 KiB without white space, each value at most 32 levels deep. A key is a URI with a
   * lower-case scheme, such as `https://example.org/skills`, or a reverse domain in lower case, such as
   * `org.example.skills`, with a name after a slash if you like (`org.example/skills`); 256 bytes at most. The values
   * are served as they are given. Null and `{}` are the same as leaving it out.
   */
  extensions?: InputMaybe<Scalars['JSON']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * Answer the newest version and publish nothing if its bytes are the same. With `activate` that version is
   * activated.
   */
  ifChanged?: Scalars['Boolean']['input'];
  /** Your reason for this version: at most 2,000 characters. */
  message?: InputMaybe<Scalars['String']['input']>;
  /** The model's name, such as `gpt-4-turbo`: 1 to 200 characters, not checked against a list. */
  modelName: Scalars['String']['input'];
  /**
   * The model's settings, such as `temperature`: a JSON object of at most 64 KiB without white space, at most 32
   * levels deep, with integers within ±(2^53−1). Empty if left out. It is served as it is given, with the same order
   * of keys and the same numbers.
   */
  modelParameters?: InputMaybe<Scalars['JSON']['input']>;
  /**
   * With `activate`: fail with PLAN_CHANGED, and answer the new plan, if this isn't the plan any more: the `planHash` of an
   * `activationPlan`.
   */
  planHash?: InputMaybe<Scalars['String']['input']>;
  /** Fail with INVALID for what would be accepted with warnings. */
  refuseWarnings?: Scalars['Boolean']['input'];
  /** The system prompt: at most 512 KiB of UTF-8; may be empty. */
  systemPrompt: Scalars['String']['input'];
  /**
   * The tools that the model may call: at most 128, with unique names, 1 MiB of JSON without white space together;
   * none if left out.
   */
  tools?: InputMaybe<Array<ToolInput>>;
};

/** The result of `publishVersion`. */
export type PublishVersionPayload = {
  __typename?: 'PublishVersionPayload';
  /**
   * With `activate`: the record of the activation in this commit. Null if the version was active there already, and if
   * there are `userErrors`.
   */
  activation?: Maybe<Activation>;
  /** False if `ifChanged` found the version published already, and if there are `userErrors`. */
  isNew: Scalars['Boolean']['output'];
  /**
   * With `activate`: the plan as it is now, after PLAN_CHANGED, CONFIRMATION_REQUIRED, POLICY_REFUSED and
   * NOT_PROMOTABLE; null otherwise, and for a caller that may not read contents.
   */
  plan?: Maybe<ActivationPlan>;
  /** The commit that published or activated the version; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the version wasn't published; empty on success. */
  userErrors: Array<UserError>;
  /** The new version, or with `ifChanged` the newest one; null if there are `userErrors`. */
  version?: Maybe<AgentVersion>;
  /** The parts of the content that were accepted, but are likely mistakes; at most 100. Empty if there are `userErrors`. */
  warnings: Array<Warning>;
};

/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type Query = {
  __typename?: 'Query';
  /**
   * Activations a day, for charts; at most 366 days and 100,000 activations, else BAD_USER_INPUT. For every member, and
   * API keys with `agents:read`.
   */
  activationCounts: Array<ActivationCount>;
  /**
   * What the activation of a version, or of `content` that isn't published, would change; with neither, what a
   * deactivation would. Reads the content of both versions. Needs the rights of `systemPrompt` and of `agent`. Null if
   * you can see no such agent, environment or version. Fails for a content that `publishVersion` rejects.
   */
  activationPlan?: Maybe<ActivationPlan>;
  /** Each change of what agents serve in these environments that you can see, newest first. API keys need `agents:read`. */
  activations: ActivationConnection;
  /**
   * The active configuration of an agent in an environment, usually from memory; null if it has no active version there,
   * or there is no such agent or environment that you can see. For members, operators, and API keys and service tokens with `configs:read`. Fails with
   * SUSPENDED or CANCELED if the customer isn't served.
   */
  activeConfig?: Maybe<ActiveConfig>;
  /**
   * `activeConfig` that says why there is none. For members, operators, and API keys and service tokens with
   * `configs:read`.
   */
  activeConfigResult: ActiveConfigResult;
  /** The agent with this id; null if it doesn't exist or you can't see it. API keys need `agents:read`. */
  agent?: Maybe<Agent>;
  /**
   * The agents that you can see, oldest first unless `orderBy` says otherwise, including archived ones. API keys need
   * `agents:read`.
   */
  agents: AgentConnection;
  /** Up to which revision the log's hash chain is verified. For ADMINs, operators, and API keys with `changes:read`. */
  auditStatus: AuditStatus;
  /**
   * Entries of the audit log by group: by day, then most entries first. At most 366 days, 1,000 groups and 100,000
   * entries, else BAD_USER_INPUT. For ADMINs, operators, and API keys with `changes:read`.
   */
  changeCounts: Array<ChangeCount>;
  /**
   * The audit log, newest first: each entry that you can see. For ADMINs, operators, and API keys with
   * `changes:read`; operators also get the platform's own entries.
   */
  changes: ChangeConnection;
  /**
   * How many gateways have applied an agent's latest activation, or `revision`. With `minShare` it waits until that share
   * of the gateways that report have applied it, at most `waitSeconds`, and shows the moment of its end; without, that of
   * the whole answer. Null if nothing ever served there, or you can't see the agent. Needs READ_AGENTS.
   */
  convergence?: Maybe<Convergence>;
  /** The customer with this id; null if it doesn't exist or you can't see it. API keys need `agents:read`. */
  customer?: Maybe<Customer>;
  /**
   * The customers that you can see, oldest first unless `orderBy` says otherwise: those that you are a member of, your API
   * key's customer, or, for operators, all of them. API keys need `agents:read`.
   */
  customers: CustomerConnection;
  /**
   * The gateways of an environment, by name: those that report, and the subscriptions that belong to none of these. Every
   * instance answers the same, a second after a report at the latest. For operators.
   */
  gateways: GatewayConnection;
  /**
   * The health of the instance that answers; other instances have their own. Takes up to four seconds if it isn't ready.
   * For operators.
   */
  instance: Instance;
  /**
   * The models of active versions, most agents first. Counts at most 100,000 active versions, else BAD_USER_INPUT. API
   * keys need `agents:read`.
   */
  modelsInUse: Array<ModelInUse>;
  /**
   * The object with this id; null if it doesn't exist or you can't see it. Not for service tokens; API keys need
   * `agents:read`.
   */
  node?: Maybe<Node>;
  /**
   * The objects with these ids, in the same order; null for each that doesn't exist or that you can't see. Not
   * for service tokens; API keys need `agents:read`.
   */
  nodes: Array<Maybe<Node>>;
  /**
   * A version for a conversation that began with it, also when another one is active by now, or the agent is deactivated or
   * archived. Null if it never served in an environment of your credential, or there is no such version of the agent that
   * you can see. For members, operators, and API keys and service tokens with `configs:read`. Fails with SUSPENDED or
   * CANCELED if the customer isn't served.
   */
  pinnedConfig?: Maybe<PinnedConfig>;
  /** What each plan allows, from the lowest limits to the highest. */
  plans: Array<PlanLimits>;
  /** The commit of whose moment this whole answer is: pass it as `after` to a subscription. */
  revision: Scalars['Revision']['output'];
  /** The service tokens without their secrets, newest first, expired and revoked ones too. For operators. */
  serviceTokens: ServiceTokenConnection;
  /**
   * The tools of active versions, most agents first. Counts at most 100,000 tools of active versions, else
   * BAD_USER_INPUT. API keys need `agents:read`.
   */
  toolsInUse: Array<ToolInUse>;
  /**
   * The people with a profile, oldest first: those who have signed in and written something, accepted an invitation, or
   * were added as members. For operators.
   */
  users: UserConnection;
  /**
   * The warnings that `publishVersion` would answer for this content; at most 100. Writes nothing. For
   * people, operators, and API keys with `versions:publish`. Fails for a content that `publishVersion` rejects.
   */
  versionWarnings: Array<Warning>;
  /** The caller of this request: who you are, and what you may do. */
  viewer: Viewer;
  /**
   * The subscriptions that run on the instance that answers, oldest first; other instances have their own. For
   * operators.
   */
  watchers: WatcherConnection;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryActivationCountsArgs = {
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
  since: Scalars['DateTime']['input'];
  timeZone?: Scalars['String']['input'];
  until?: InputMaybe<Scalars['DateTime']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryActivationPlanArgs = {
  agentId: Scalars['ID']['input'];
  content?: InputMaybe<VersionContentInput>;
  environment?: InputMaybe<Scalars['String']['input']>;
  versionId?: InputMaybe<Scalars['ID']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryActivationsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  reasons?: InputMaybe<Array<ActivationReason>>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryActiveConfigArgs = {
  agentId: Scalars['ID']['input'];
  atLeast?: InputMaybe<Scalars['Revision']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryActiveConfigResultArgs = {
  agentId: Scalars['ID']['input'];
  atLeast?: InputMaybe<Scalars['Revision']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryAgentArgs = {
  id: Scalars['ID']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryAgentsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AgentFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<AgentOrder>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryChangeCountsArgs = {
  customerId?: InputMaybe<Scalars['ID']['input']>;
  filter?: InputMaybe<ChangeFilter>;
  groupBy: Array<ChangeCountGroup>;
  timeZone?: Scalars['String']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryChangesArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
  filter?: InputMaybe<ChangeFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryConvergenceArgs = {
  agentId: Scalars['ID']['input'];
  environment?: InputMaybe<Scalars['String']['input']>;
  minShare?: InputMaybe<Scalars['Float']['input']>;
  revision?: InputMaybe<Scalars['Revision']['input']>;
  waitSeconds?: Scalars['Int']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryCustomerArgs = {
  id: Scalars['ID']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryCustomersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<CustomerFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<CustomerOrder>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryGatewaysArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<GatewayFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryModelsInUseArgs = {
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
  first?: Scalars['Int']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryNodesArgs = {
  ids: Array<Scalars['ID']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryPinnedConfigArgs = {
  agentId: Scalars['ID']['input'];
  versionId: Scalars['ID']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryServiceTokensArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryToolsInUseArgs = {
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
  first?: Scalars['Int']['input'];
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryUsersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<UserFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryVersionWarningsArgs = {
  content: VersionContentInput;
};


/**
 * Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
 * `activeConfig`, `watchers`, `instance`, and `convergence` with `minShare`. A query that runs longer than 15 seconds fails
 * with UNAVAILABLE; one with `minShare` may also wait for `waitSeconds`.
 */
export type QueryWatchersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** The use of one limit of a plan. */
export type Quota = {
  __typename?: 'Quota';
  /** How many the plan allows. A customer that has more after a change of plan keeps them, but can't add any. */
  limit: Scalars['Int']['output'];
  /** How many the customer has now. */
  used: Scalars['Int']['output'];
};

/** The reason for which a gateway refused a version. */
export type RejectionCode =
  /** It failed for another reason, which `message` may tell. */
  | 'INTERNAL'
  /** It can't use the schema of a tool. */
  | 'INVALID_SCHEMA'
  /** The configuration is too large for it. */
  | 'TOO_LARGE'
  /** It doesn't know the model. */
  | 'UNKNOWN_MODEL'
  /** It doesn't know a tool. */
  | 'UNKNOWN_TOOL';

/** The member to remove. */
export type RemoveMemberInput = {
  /** The UUID of the customer. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of the member's user. */
  userId: Scalars['ID']['input'];
};

/** The result of `removeMember`. */
export type RemoveMemberPayload = {
  __typename?: 'RemoveMemberPayload';
  /** The commit that removed the member; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the member wasn't removed; empty on success. */
  userErrors: Array<UserError>;
  /** The UUID of the user who was removed; null if there are `userErrors`. */
  userId?: Maybe<Scalars['ID']['output']>;
};

/** The operator to remove. */
export type RemoveOperatorInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of the user. */
  userId: Scalars['ID']['input'];
};

/** The result of `removeOperator`. */
export type RemoveOperatorPayload = {
  __typename?: 'RemoveOperatorPayload';
  /** The commit that removed the operator, an earlier one if the user was none already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the operator wasn't removed; empty on success. */
  userErrors: Array<UserError>;
  /** The UUID of the user; null if there are `userErrors`. */
  userId?: Maybe<Scalars['ID']['output']>;
};

/** What a gateway serves: the whole truth each time. */
export type ReportServingInput = {
  /** The build that the gateway runs, such as a commit: 1 to 100 characters. */
  build?: InputMaybe<Scalars['String']['input']>;
  /** The key of the environment whose configurations it serves; `production` if left out. */
  environment?: InputMaybe<Scalars['String']['input']>;
  /**
   * The gateway's own name, the same after a restart: 1 to 100 characters. It belongs to your token: the same name under
   * another token, or in another environment, is another gateway.
   */
  gatewayName: Scalars['String']['input'];
  /** The region in which the gateway runs: 1 to 100 characters. */
  region?: InputMaybe<Scalars['String']['input']>;
  /** What the gateway refuses, at most one version of an agent and 100 in all. Replaces the earlier list; none if left out. */
  rejections?: InputMaybe<Array<ServingRejectionInput>>;
  /** A BOOKMARK's revision: all up to it is applied, apart from `rejections`. */
  revision: Scalars['Revision']['input'];
};

/** The result of `reportServing`. It makes no commit, so it has no `revision`; sent twice, it does the same. */
export type ReportServingPayload = {
  __typename?: 'ReportServingPayload';
  /**
   * After how many seconds to report again: 1 to 30. Report earlier only to refuse a version, and then at most once a
   * second. Null if there are `userErrors`.
   */
  nextReportSeconds?: Maybe<Scalars['Int']['output']>;
  /** The revision that was stored; null if there are `userErrors`. */
  reportedRevision?: Maybe<Scalars['Revision']['output']>;
  /** Why the report wasn't stored; empty on success. */
  userErrors: Array<UserError>;
};

/** The agent to restore. */
export type RestoreAgentInput = {
  /** The UUID of the agent to restore. */
  agentId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `restoreAgent`. */
export type RestoreAgentPayload = {
  __typename?: 'RestoreAgentPayload';
  /** The agent after the write; null if there are `userErrors`. */
  agent?: Maybe<Agent>;
  /**
   * The commit that brought the agent into this state, an earlier one if nothing had to change; null if
   * there are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was written; empty on success. */
  userErrors: Array<UserError>;
};

/** The environment to restore. */
export type RestoreEnvironmentInput = {
  /** The UUID of the environment to restore. */
  environmentId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `restoreEnvironment`. */
export type RestoreEnvironmentPayload = {
  __typename?: 'RestoreEnvironmentPayload';
  /** The environment after the write; null if there are `userErrors`. */
  environment?: Maybe<Environment>;
  /**
   * The commit that brought the environment into this state, an earlier one if nothing had to change; null if there
   * are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was changed; empty on success, also if nothing had to change. */
  userErrors: Array<UserError>;
};

/** The API key to revoke. */
export type RevokeApiKeyInput = {
  /** The UUID of the key to revoke. */
  apiKeyId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `revokeApiKey`. */
export type RevokeApiKeyPayload = {
  __typename?: 'RevokeApiKeyPayload';
  /** The revoked key; null if there are `userErrors`. */
  apiKey?: Maybe<ApiKey>;
  /** The commit that revoked the key, an earlier one if it was revoked already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the key wasn't revoked; empty on success. */
  userErrors: Array<UserError>;
};

/** The invitation to revoke. */
export type RevokeInvitationInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of the open invitation. */
  invitationId: Scalars['ID']['input'];
};

/** The result of `revokeInvitation`. */
export type RevokeInvitationPayload = {
  __typename?: 'RevokeInvitationPayload';
  /** The UUID of the revoked invitation; null if there are `userErrors`. */
  invitationId?: Maybe<Scalars['ID']['output']>;
  /** The commit that revoked the invitation; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the invitation wasn't revoked; empty on success. */
  userErrors: Array<UserError>;
};

/** Revokes all sessions except the current one. */
export type RevokeOtherSessionsInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `revokeOtherSessions`. */
export type RevokeOtherSessionsPayload = {
  __typename?: 'RevokeOtherSessionsPayload';
  /** The commit that ended the sessions, an earlier one if there were none; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** The UUIDs of the sessions that were ended, oldest first; empty if there were none, or `userErrors`. */
  sessionIds: Array<Scalars['ID']['output']>;
  /** Why the sessions weren't revoked; empty on success. */
  userErrors: Array<UserError>;
};

/** The service token to revoke. */
export type RevokeServiceTokenInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of the token to revoke. */
  serviceTokenId: Scalars['ID']['input'];
};

/** The result of `revokeServiceToken`. */
export type RevokeServiceTokenPayload = {
  __typename?: 'RevokeServiceTokenPayload';
  /** The commit that revoked the token, an earlier one if it was revoked already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** The revoked token; null if there are `userErrors`. */
  serviceToken?: Maybe<ServiceToken>;
  /** Why the token wasn't revoked; empty on success. */
  userErrors: Array<UserError>;
};

/** The session to revoke. */
export type RevokeSessionInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The UUID of one of your sessions, the current one included. */
  sessionId: Scalars['ID']['input'];
};

/** The result of `revokeSession`. */
export type RevokeSessionPayload = {
  __typename?: 'RevokeSessionPayload';
  /** The commit that ended the session, or a later one if it was ended already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** The UUID of the session; null if there are `userErrors`. */
  sessionId?: Maybe<Scalars['ID']['output']>;
  /** Why the session wasn't revoked; empty on success. */
  userErrors: Array<UserError>;
};

/** What a member may do at a customer. Each role includes the rights of the roles before it. */
export type Role =
  /**
   * Also manages members, invitations and API keys, changes the customer's name, reads the audit log, and exports
   * and imports agents.
   */
  | 'ADMIN'
  /** Also creates, updates and archives agents, publishes versions, and activates them. */
  | 'EDITOR'
  /**
   * Reads the customer, its plan and usage, agents, versions, activations and configurations, and watches
   * activations.
   */
  | 'VIEWER';

/** The agent to roll back, and how far. */
export type RollbackInput = {
  /** The UUID of the agent to roll back. */
  agentId: Scalars['ID']['input'];
  /** The key of the environment; `production` if left out. */
  environment?: InputMaybe<Scalars['String']['input']>;
  /**
   * Fail with CONFLICT if another version than this one is active there now; null expects that none is. Not checked if
   * left out: then two people who roll back at the same time go back twice.
   */
  expectedActiveVersionId?: InputMaybe<Scalars['ID']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** How many activations to go back, 1 or more; 1 when both are left out. Going back 2 steps equals two rollbacks. */
  steps?: InputMaybe<Scalars['Int']['input']>;
  /**
   * The UUID of the version to go back to. It must have served before, and no rollback may have left it since its
   * last activation. Not with `steps`.
   */
  toVersionId?: InputMaybe<Scalars['ID']['input']>;
};

/** The API key to rotate, and the overlap. */
export type RotateApiKeyInput = {
  /** The UUID of the key to rotate. */
  apiKeyId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * For how many seconds the old key is still accepted: 0 to 604800 (a week), 3600 if left out. It never
   * outlives its own `expiresAt`.
   */
  overlapSeconds?: InputMaybe<Scalars['Int']['input']>;
};

/** The result of `rotateApiKey`. */
export type RotateApiKeyPayload = {
  __typename?: 'RotateApiKeyPayload';
  /** The new key without its secret; null if there are `userErrors`. */
  apiKey?: Maybe<ApiKey>;
  /** The old key, with its new `expiresAt`; null if there are `userErrors`. */
  previous?: Maybe<ApiKey>;
  /** The commit that rotated the key; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /**
   * The new key's bearer token. The service stores only a hash, so save it now. Null after an error, and when an
   * idempotency key is sent again.
   */
  secret?: Maybe<Scalars['String']['output']>;
  /** Why the key wasn't rotated; empty on success. */
  userErrors: Array<UserError>;
};

/** The service token to rotate, and the overlap. */
export type RotateServiceTokenInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * For how many seconds the old token is still accepted: 0 to 604800 (a week), 3600 if left out. It never
   * outlives its own `expiresAt`.
   */
  overlapSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** The UUID of the token to rotate. */
  serviceTokenId: Scalars['ID']['input'];
};

/** The result of `rotateServiceToken`. */
export type RotateServiceTokenPayload = {
  __typename?: 'RotateServiceTokenPayload';
  /** The old token, with its new `expiresAt`; null if there are `userErrors`. */
  previous?: Maybe<ServiceToken>;
  /** The commit that rotated the token; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /**
   * The new bearer token. The service stores only a hash, so save it now. Null after an error, and when an
   * idempotency key is sent again.
   */
  secret?: Maybe<Scalars['String']['output']>;
  /** The new token without its secret; null if there are `userErrors`. */
  serviceToken?: Maybe<ServiceToken>;
  /** Why the token wasn't rotated; empty on success. */
  userErrors: Array<UserError>;
};

/** What a service token may do, at all customers or at those that it is limited to. */
export type ServiceScope =
  /**
   * `activations:watch`: subscribe to the customers' activations and, together with `configs:read`, to their
   * configurations.
   */
  | 'ACTIVATIONS_WATCH'
  /** `configs:read`: read the customers' active configurations. */
  | 'CONFIGS_READ';

/**
 * A credential of one of the platform's own services, such as a gateway; valid for all customers, or for those that it
 * is limited to. Its secret is shown only once, by the mutation that creates the token.
 */
export type ServiceToken = Node & {
  __typename?: 'ServiceToken';
  /** When the token was created. */
  createdAt: Scalars['DateTime']['output'];
  /**
   * The operator who created the token, or whose rotation did. SYSTEM for the command line, and for tokens older than
   * this field whose entry in the audit log was deleted.
   */
  createdBy: Actor;
  /** The UUIDs of the only customers that the token is valid for, erased ones included; null for all customers. */
  customerIds?: Maybe<Array<Scalars['ID']['output']>>;
  /** The keys of the environments that the token reaches, the same for every customer; null if it reaches all. */
  environments?: Maybe<Array<Scalars['String']['output']>>;
  /**
   * When the token stops being accepted; null if it doesn't expire. Rotating the token sets this to the end of the
   * overlap.
   */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** What the token may do at its customers. */
  grantedScopes: Array<ServiceScope>;
  /** The token's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** When the token was last accepted, updated at most once a minute; null if never. */
  lastUsedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The name that an operator gave it: 1 to 200 characters, not unique. */
  name: Scalars['String']['output'];
  /** The UUID of the successor that rotating the token created; null if it wasn't rotated. */
  replacedById?: Maybe<Scalars['ID']['output']>;
  /** When the token was revoked; null if it wasn't. */
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /**
   * What the token may do, spelled as `configs:read`.
   * @deprecated Use grantedScopes, which has the values of the input.
   */
  scopes: Array<Scalars['String']['output']>;
};

/** A page of service tokens. */
export type ServiceTokenConnection = {
  __typename?: 'ServiceTokenConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<ServiceTokenEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<ServiceToken>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One ServiceToken of a page, with its cursor. */
export type ServiceTokenEdge = {
  __typename?: 'ServiceTokenEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: ServiceToken;
};

/**
 * What one agent serves in one environment. Exists for every environment that isn't archived, also while nothing
 * serves.
 */
export type Serving = {
  __typename?: 'Serving';
  /** When the active version was activated; null if no version is active here. */
  activatedAt?: Maybe<Scalars['DateTime']['output']>;
  /**
   * The active version, which is served unless the customer is SUSPENDED or CANCELED; null if no version is active
   * here.
   */
  activeVersion?: Maybe<AgentVersion>;
  /** The agent that serves. */
  agent: Agent;
  /**
   * How many gateways have applied the last change of what serves here; null if nothing ever served. Null without
   * READ_AGENTS.
   */
  convergence?: Maybe<Convergence>;
  /** The environment in which it serves. */
  environment: Environment;
  /**
   * The last change of what serves here; null if nothing ever served. Null for service tokens, and for API keys
   * without `agents:read`.
   */
  latestActivation?: Maybe<Activation>;
  /** The last commit that changed what serves here; null if nothing ever served. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /**
   * The version that `rollback` without `toVersionId` and `steps` would activate here. Null if there is none to go back
   * to, and while the agent is archived; also for service tokens, and for API keys without `agents:read`.
   */
  rollbackTarget?: Maybe<AgentVersion>;
  /**
   * What you may do with this agent here now. Without PUBLISH_VERSIONS and ACTIVATE_VERSIONS while the agent is archived,
   * and, unless you are an operator, while the customer is SUSPENDED or CANCELED; without ACTIVATE_VERSIONS also if the
   * environment's `activateRole` is above yours.
   */
  viewerPermissions: Array<Permission>;
};

/** A version that a gateway refused: the gateway serves what it had before. It never counts as applied. */
export type ServingRejection = {
  __typename?: 'ServingRejection';
  /** The agent whose version it refused. */
  agent: Agent;
  /** The reason, for programs. */
  code: RejectionCode;
  /** The name that the gateway chose. For operators; null for others. */
  gatewayName?: Maybe<Scalars['String']['output']>;
  /** The gateway's own words, at most 500 characters; null if it has none. */
  message?: Maybe<Scalars['String']['output']>;
  /** When the gateway first reported it. */
  reportedAt: Scalars['DateTime']['output'];
  /** The revision of the event that it refused. */
  revision: Scalars['Revision']['output'];
  /** The version that it refused. */
  version: AgentVersion;
};

/** A version that the gateway refused. */
export type ServingRejectionInput = {
  /** The UUID of the agent. */
  agentId: Scalars['ID']['input'];
  /** The reason, for programs. */
  code: RejectionCode;
  /** A sentence for people, at most 500 characters. The agent's customer can read it, so it says nothing about others. */
  message?: InputMaybe<Scalars['String']['input']>;
  /** The revision of the event that it refused. */
  revision: Scalars['Revision']['input'];
  /** The UUID of the version that it refused. */
  versionId: Scalars['ID']['input'];
};

/** A browser's sign-in to the console. It has your rights, and expires after 8 hours without a request or 24 hours in all. */
export type Session = {
  __typename?: 'Session';
  /** The browser and its system as it named them, such as `Firefox on Linux`; null if unknown. */
  client?: Maybe<Scalars['String']['output']>;
  /** When you signed in. */
  createdAt: Scalars['DateTime']['output'];
  /** When the session expires unless it is used before. */
  expiresAt: Scalars['DateTime']['output'];
  /** The session's UUID. Not for `node`. */
  id: Scalars['ID']['output'];
  /** True for the session that this request was sent with. */
  isCurrent: Scalars['Boolean']['output'];
  /** When the session was last used, to the minute. */
  lastSeenAt: Scalars['DateTime']['output'];
  /** The network that you signed in from, such as 192.0.2.0/24; null if unknown. */
  network?: Maybe<Scalars['String']['output']>;
};

/** The customer, and its new billing status. */
export type SetBillingStatusInput = {
  /** The UUID of the customer. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /**
   * The status from now on: any but TRIALING can follow, and nothing can follow CANCELED. SUSPENDED and CANCELED
   * stop serving.
   */
  status: BillingStatus;
};

/** The result of `setBillingStatus`. */
export type SetBillingStatusPayload = {
  __typename?: 'SetBillingStatusPayload';
  /** The customer after the change; null if there are `userErrors`. */
  customer?: Maybe<Customer>;
  /** The commit that set this status, an earlier one if it was set already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the status wasn't changed; empty on success. */
  userErrors: Array<UserError>;
};

/** The customer, and its new plan. */
export type SetPlanInput = {
  /** The UUID of the customer. */
  customerId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The plan from now on. */
  plan: Plan;
};

/** The result of `setPlan`. */
export type SetPlanPayload = {
  __typename?: 'SetPlanPayload';
  /** The customer after the change; null if there are `userErrors`. */
  customer?: Maybe<Customer>;
  /** The commit that set this plan, an earlier one if it was set already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the plan wasn't changed; empty on success. */
  userErrors: Array<UserError>;
};

/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type Subscription = {
  __typename?: 'Subscription';
  /**
   * Each activation and deactivation that you can see, in commit order, each once. An event shows its own record,
   * and nested objects as they are now. For members, operators, and API keys and service tokens with
   * `activations:watch`.
   */
  activations: Activation;
  /**
   * For dashboards: each entry of the audit log that you can see, in commit order, each once. For ADMINs,
   * operators, and API keys with `changes:read`; operators also get the platform's own entries.
   */
  changes: Change;
  /**
   * For gateways: all active configurations of an environment (SNAPSHOT), then each change (UPSERT, REMOVE), with BOOKMARKs in
   * between. The snapshot shows the moment of the BOOKMARK that ends it. A BOOKMARK also follows a commit with
   * several events, and is sent about every ten seconds, twenty at most, even if nothing happens. A named agent that
   * you can't see gets a REMOVE with NOT_FOUND after the snapshot; a customer that you can't see fails. For members,
   * operators, and API keys and service tokens with both `configs:read` and `activations:watch`.
   */
  configs: ConfigEvent;
  /**
   * An agent's convergence, now and at each change, at most once a second. Its first event comes once something has served.
   * Needs READ_AGENTS.
   */
  convergence: Convergence;
  /**
   * For dashboards: each change of a customer, its environments, agents and versions that you can see, in commit order,
   * each once. Members and keys appear in `changes` only. For members, operators, and API keys with `agents:read`; a key
   * that is limited to environments gets the events of these, and those of no environment.
   */
  customerEvents: CustomerEvent;
  /**
   * Each change of a gateway's state, revision or rejections from now on, read once a second; the same on every instance. A
   * gateway that isn't listed any more comes once more as GONE. Subscribe, then query the list. For operators.
   */
  gateways: Gateway;
};


/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type SubscriptionActivationsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  agentIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environments?: InputMaybe<Array<Scalars['String']['input']>>;
};


/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type SubscriptionChangesArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
};


/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type SubscriptionConfigsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  agentIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
  environment?: InputMaybe<Scalars['String']['input']>;
};


/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type SubscriptionConvergenceArgs = {
  agentId: Scalars['ID']['input'];
  environment?: InputMaybe<Scalars['String']['input']>;
};


/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type SubscriptionCustomerEventsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  customerId?: InputMaybe<Scalars['ID']['input']>;
};


/** Subscriptions first replay what you missed, if you pass `after`, and then continue live. */
export type SubscriptionGatewaysArgs = {
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<GatewayFilter>;
};

/** A tool that the model may call. Its JSON has the order of keys and the numbers that were published. */
export type Tool = {
  __typename?: 'Tool';
  /** The metadata that an MCP server attached; null if none was given. */
  _meta?: Maybe<Scalars['JSON']['output']>;
  /** An object of the members that the schema has no field for, as they were given; null if there are none. */
  additional?: Maybe<Scalars['JSON']['output']>;
  /** The hints of an MCP server about the tool's behaviour, such as `readOnlyHint`; null if none were given. */
  annotations?: Maybe<Scalars['JSON']['output']>;
  /** The description of the tool for the model; null if left out. */
  description?: Maybe<Scalars['String']['output']>;
  /** How the tool may be executed, as MCP says it; null if left out. */
  execution?: Maybe<Scalars['JSON']['output']>;
  /** The tool's icons, as MCP lists them; null if none were given. */
  icons?: Maybe<Scalars['JSON']['output']>;
  /** The JSON Schema of the tool's input; null if none was given. */
  inputSchema?: Maybe<Scalars['JSON']['output']>;
  /** The tool's name: 1 to 200 characters, unique within the version. */
  name: Scalars['String']['output'];
  /** The JSON Schema of the tool's structured result; null if none was given. */
  outputSchema?: Maybe<Scalars['JSON']['output']>;
  /** True if the model must follow the input schema exactly; null if left out. */
  strict?: Maybe<Scalars['Boolean']['output']>;
  /** The tool's name for people; null if left out. */
  title?: Maybe<Scalars['String']['output']>;
};

/** A tool by its name, and how much uses it. */
export type ToolInUse = {
  __typename?: 'ToolInUse';
  /** How many agents serve a version with this tool. */
  agentCount: Scalars['Int']['output'];
  /** How many customers these agents are of. */
  customerCount: Scalars['Int']['output'];
  /** The latest activation of one of these versions. */
  lastActivatedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The tool's name, as versions have it. Tools of one name may differ. */
  name: Scalars['String']['output'];
  /** How many active versions have it. */
  versionCount: Scalars['Int']['output'];
};

/** A tool that the model may call, as an MCP server lists it. Nothing of it is changed. */
export type ToolInput = {
  /** Metadata of the server. */
  _meta?: InputMaybe<Scalars['JSON']['input']>;
  /** An object of further members. Fails with INVALID if it has a member that is a field of this input. */
  additional?: InputMaybe<Scalars['JSON']['input']>;
  /** Hints about the tool's behaviour, such as `readOnlyHint`. */
  annotations?: InputMaybe<Scalars['JSON']['input']>;
  /** The description of the tool for the model. */
  description?: InputMaybe<Scalars['String']['input']>;
  /** How the tool may be executed. */
  execution?: InputMaybe<Scalars['JSON']['input']>;
  /** The tool's icons. */
  icons?: InputMaybe<Scalars['JSON']['input']>;
  /**
   * A JSON Schema of the tool's input, checked against its metaschema. At most 32 levels deep. References aren't
   * fetched.
   */
  inputSchema?: InputMaybe<Scalars['JSON']['input']>;
  /** The tool's name: 1 to 200 characters, unique within the version. */
  name: Scalars['String']['input'];
  /** A JSON Schema of the tool's structured result, checked as `inputSchema` is. */
  outputSchema?: InputMaybe<Scalars['JSON']['input']>;
  /** Whether the model must follow the input schema exactly. */
  strict?: InputMaybe<Scalars['Boolean']['input']>;
  /** The tool's name for people. */
  title?: InputMaybe<Scalars['String']['input']>;
};

/**
 * The fields of an agent to change. A field that is left out keeps its value; null clears `description` and `ownerId`,
 * and fails with INVALID for `name`.
 */
export type UpdateAgentInput = {
  /** The UUID of the agent to change. */
  agentId: Scalars['ID']['input'];
  /** The new purpose: at most 2,000 characters. Null clears it. */
  description?: InputMaybe<Scalars['String']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The new name, unique within the customer: 1 to 200 characters. Not null. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** The user responsible from now on, who must be a member of the customer. Null clears it. */
  ownerId?: InputMaybe<Scalars['ID']['input']>;
};

/** The result of `updateAgent`. */
export type UpdateAgentPayload = {
  __typename?: 'UpdateAgentPayload';
  /** The agent after the write; null if there are `userErrors`. */
  agent?: Maybe<Agent>;
  /**
   * The commit that brought the agent into this state, an earlier one if nothing had to change; null if
   * there are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was written; empty on success. */
  userErrors: Array<UserError>;
};

/** The fields of a customer to change. A field that is left out keeps its value. */
export type UpdateCustomerInput = {
  /** The UUID of the customer to change. */
  customerId: Scalars['ID']['input'];
  /** Its id in another system, unique: 1 to 200 characters. Null removes it. FORBIDDEN for everyone but operators. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The new display name: 1 to 200 characters. Not null. */
  name?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `updateCustomer`. */
export type UpdateCustomerPayload = {
  __typename?: 'UpdateCustomerPayload';
  /** The customer after the change; null if there are `userErrors`. */
  customer?: Maybe<Customer>;
  /** The commit that set these values, an earlier one if they were set already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why the customer wasn't changed; empty on success. */
  userErrors: Array<UserError>;
};

/** The fields of an environment to change. A field that is left out stays as it is; null removes `promoteFrom` and `allowedModels`. */
export type UpdateEnvironmentInput = {
  /** The lowest role that may activate, roll back and deactivate here: EDITOR or ADMIN. Not null. */
  activateRole?: InputMaybe<Role>;
  /** The only models that versions may use here: 1 to 100 names; null allows every model. */
  allowedModels?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The UUID of the environment to change. */
  environmentId: Scalars['ID']['input'];
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** For how many seconds it must have been active there: at most 31536000 (a year). Not null. */
  minSoakSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** The new name: 1 to 200 characters. Not null. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** What happens to a plan whose impact is UNKNOWN, NARROWED or REMOVED. Not null. */
  onBreaking?: InputMaybe<BreakingPolicy>;
  /**
   * The key of the environment in which a version must have been active before; null lets any version serve here, and
   * sets `minSoakSeconds` to 0.
   */
  promoteFrom?: InputMaybe<Scalars['String']['input']>;
  /** The new place in lists. Not null. */
  rank?: InputMaybe<Scalars['Int']['input']>;
};

/** The result of `updateEnvironment`. */
export type UpdateEnvironmentPayload = {
  __typename?: 'UpdateEnvironmentPayload';
  /** The environment after the write; null if there are `userErrors`. */
  environment?: Maybe<Environment>;
  /**
   * The commit that brought the environment into this state, an earlier one if nothing had to change; null if there
   * are `userErrors`.
   */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Why nothing was changed; empty on success, also if nothing had to change. */
  userErrors: Array<UserError>;
};

/** Your own profile. */
export type UpdateProfileInput = {
  /**
   * A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the
   * call with this key writes nothing: the payload holds the object as it is now and the first write's revision, but
   * never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;
   * the order of keys in JSON and the form of numbers make no difference.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** The display name: 1 to 200 characters. Null, or left out, takes the name in your tokens again. */
  name?: InputMaybe<Scalars['String']['input']>;
};

/** The result of `updateProfile`. */
export type UpdateProfilePayload = {
  __typename?: 'UpdateProfilePayload';
  /** The commit that set this name, an earlier one if it was set already; null if there are `userErrors`. */
  revision?: Maybe<Scalars['Revision']['output']>;
  /** Your profile after the change; null if there are `userErrors`. */
  user?: Maybe<User>;
  /** Why the profile wasn't changed; empty on success. */
  userErrors: Array<UserError>;
};

/** What a customer uses of each limit of its plan. Reading it counts rows, so ask only if you show it. */
export type Usage = {
  __typename?: 'Usage';
  /** Agents, including archived ones. */
  agents: Quota;
  /** API keys that are accepted: expired and revoked ones don't count. */
  apiKeys: Quota;
  /** Environments, without archived ones. */
  environments: Quota;
  /** Members and open invitations together. */
  members: Quota;
  /**
   * Requests of up to 10,000 points per second that the plan allows each user and each API key in the long run, with
   * bursts of twice as many. `extensions.cost` says what an operation was charged. A user has the limit of the
   * largest plan among its customers. Each instance of the service counts on its own.
   */
  requestsPerSecond: Scalars['Int']['output'];
  /** Versions of one agent; `used` is the count of the agent that has the most. */
  versionsPerAgent: Quota;
};

/** A person, identified by the issuer and the subject of their sign-in tokens. */
export type User = Node & {
  __typename?: 'User';
  /**
   * The agents that this user owns and you can see, oldest first. FORBIDDEN for service tokens, and for API keys
   * without `agents:read`.
   */
  agents: AgentConnection;
  /** When the user's profile was created. */
  createdAt: Scalars['DateTime']['output'];
  /**
   * The user's e-mail address; null if unknown, and for everyone but the user and operators. A customer's ADMINs
   * find its members' addresses in `Customer.members`.
   */
  email?: Maybe<Scalars['String']['output']>;
  /** The user's UUID, which never changes. */
  id: Scalars['ID']['output'];
  /** The names by which the user signs in, oldest first. Null for everyone but the user and operators. */
  identities?: Maybe<Array<Identity>>;
  /** Whether the user is an operator, by any of its identities. For operators; null for others. */
  isOperator?: Maybe<Scalars['Boolean']['output']>;
  /** The display name: the one that the user has chosen, else the one in the user's token. Null if there is none. */
  name?: Maybe<Scalars['String']['output']>;
};


/** A person, identified by the issuer and the subject of their sign-in tokens. */
export type UserAgentsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};

/** A page of people. */
export type UserConnection = {
  __typename?: 'UserConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<UserEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<User>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One User of a page, with its cursor. */
export type UserEdge = {
  __typename?: 'UserEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: User;
};

/**
 * One reason why a mutation didn't change anything, which the caller can correct. A payload has all errors of its
 * input at once, at most 100; or else the first one that depends on stored data.
 */
export type UserError = {
  __typename?: 'UserError';
  /** What went wrong, for programs. */
  code: UserErrorCode;
  /** The path of the input field at fault, such as `tools.0.name`; null if it isn't a single field. */
  field?: Maybe<Scalars['String']['output']>;
  /** The explanation for people; its wording may change. */
  message: Scalars['String']['output'];
  /**
   * The field at fault as steps from `input`, such as `["tools", "1", "inputSchema"]`; null when it is no single
   * one.
   */
  path?: Maybe<Array<Scalars['String']['output']>>;
};

/** What went wrong, for programs. New ones may be added. */
export type UserErrorCode =
  /** Another object has this name or address. */
  | 'ALREADY_EXISTS'
  /** The agent is archived: restore it first. */
  | 'ARCHIVED'
  /** The customer is CANCELED, and perhaps erased. */
  | 'CANCELED'
  /** The environment asks you to confirm the impacts in `plan.mustConfirm`. */
  | 'CONFIRMATION_REQUIRED'
  /** The state isn't the one that you expected, such as another active version. */
  | 'CONFLICT'
  /** You have used this idempotency key for a different input. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** A value isn't accepted. */
  | 'INVALID'
  /** The customer has as many of something as its plan allows. */
  | 'LIMIT_REACHED'
  /** An object that the input names doesn't exist, or you can't see it. */
  | 'NOT_FOUND'
  /** The version hasn't been active for long enough in the environment `promoteFrom`. */
  | 'NOT_PROMOTABLE'
  /** The plan isn't the one with your `planHash` any more: the payload's `plan` is the new one. */
  | 'PLAN_CHANGED'
  /** A rule of the environment refuses the change. The message is the first rule's; `plan.policy` has all. */
  | 'POLICY_REFUSED'
  /** The customer is SUSPENDED. */
  | 'SUSPENDED'
  /** A value is longer or larger than its limit. */
  | 'TOO_LARGE';

/** Conditions on people; all given ones must hold. */
export type UserFilter = {
  /** Only people whose address contains this text of at most 200 characters, in any case; an empty one filters nothing. */
  emailContains?: InputMaybe<Scalars['String']['input']>;
  /** True: only operators. False: only people who aren't operators. */
  isOperator?: InputMaybe<Scalars['Boolean']['input']>;
  /**
   * Only people whose display name contains this text of at most 200 characters, in any case; an empty one filters
   * nothing.
   */
  nameContains?: InputMaybe<Scalars['String']['input']>;
};

/** What a version holds, before it is published: fields and limits as in `PublishVersionInput`. */
export type VersionContentInput = {
  /** Further settings for gateways: a JSON object whose keys are URIs or reverse domains; none if left out. */
  extensions?: InputMaybe<Scalars['JSON']['input']>;
  /** The model's name, such as `gpt-4-turbo`: 1 to 200 characters. */
  modelName: Scalars['String']['input'];
  /** The model's settings: a JSON object. Empty if left out. */
  modelParameters?: InputMaybe<Scalars['JSON']['input']>;
  /** The system prompt: at most 512 KiB of UTF-8; may be empty. */
  systemPrompt: Scalars['String']['input'];
  /** The tools that the model may call; none if left out. */
  tools?: InputMaybe<Array<ToolInput>>;
};

/**
 * The difference between two versions of one agent. All fields but `from`, `to`, `isSame` and `modelNameChanged`
 * read the content of both.
 */
export type VersionDiff = {
  __typename?: 'VersionDiff';
  /** The values of parameters, tools and extensions that differ, by path; at most 1,000. An object with more changes is one change. */
  changes: Array<FieldChange>;
  /**
   * Each thing that differs and what it may do, in the order of the content. At most 1,000, and then a last one that
   * says how many are left out.
   */
  findings: Array<Finding>;
  /** The version that is compared from. */
  from: AgentVersion;
  /** The lines of the prompts that differ, with three lines of context. `systemPrompt` has the same as a unified diff. */
  hunks: Array<DiffHunk>;
  /**
   * What the change may do to running conversations and deployed executors: the worst of the findings; SAME without
   * any.
   */
  impact: ChangeImpact;
  /**
   * True if both versions have the same content: then no field of this object names a difference. The order of keys
   * and the spelling of numbers may differ, as between `1` and `1.0`; `AgentVersion.bytesHash` tells these apart.
   */
  isSame: Scalars['Boolean']['output'];
  /** True if the versions name different models. */
  modelNameChanged: Scalars['Boolean']['output'];
  /** The top-level keys of the model parameters that were added, removed or changed, in alphabetical order. */
  modelParametersChanged: Array<Scalars['String']['output']>;
  /**
   * The difference of the prompts as a unified diff by lines, which end at LF alone, with three lines of context;
   * null if they are equal. The search for the smallest diff stops after 100 ms, so a diff can be longer than necessary.
   */
  systemPrompt?: Maybe<Scalars['String']['output']>;
  /** The version that is compared to. */
  to: AgentVersion;
  /** The names of tools that only `to` has, in the order of its tools. */
  toolsAdded: Array<Scalars['String']['output']>;
  /** The names of tools that both have and that differ in anything, in the order of the tools of `to`. */
  toolsChanged: Array<Scalars['String']['output']>;
  /** The names of tools that only `from` has, in the order of its tools. */
  toolsRemoved: Array<Scalars['String']['output']>;
  /** True if the tools that both have are in another order. */
  toolsReordered: Scalars['Boolean']['output'];
};

/** The caller of this request: you, and what you may do. */
export type Viewer = {
  __typename?: 'Viewer';
  /** The UUID of your API key's customer; null for users and service tokens. */
  customerId?: Maybe<Scalars['ID']['output']>;
  /** Your name for people: your profile's name, else your address, else your name in your credential. */
  displayName: Scalars['String']['output'];
  /** When your credential expires; null if it doesn't expire. */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** True if you are an operator: a person who runs the platform, with all rights at all customers. */
  isOperator: Scalars['Boolean']['output'];
  /** The kind of caller that you are. */
  kind: ActorKind;
  /** Your role at each of your customers; empty for operators who have none, and for programs. */
  memberships: Array<ViewerMembership>;
  /** Your name in your credential: a user's subject, or the name of an API key or service token. */
  name: Scalars['String']['output'];
  /**
   * The open invitations to the address in your token. A verified address accepts those that nothing blocks at the
   * next sign-in. Empty for programs.
   */
  pendingInvitations: Array<PendingInvitation>;
  /**
   * Your rights at any of your customers or, for operators, everywhere. `Customer.viewerPermissions` lists them for
   * each customer.
   * @deprecated A union over all customers. Use Customer.viewerPermissions, Serving.viewerPermissions, Viewer.platformPermissions.
   */
  permissions: Array<Permission>;
  /** What you may do for the platform itself, such as CREATE_CUSTOMER; empty for all but operators. */
  platformPermissions: Array<Permission>;
  /** What your API key or service token may do, spelled as `agents:read`; empty for users. */
  scopes: Array<Scalars['String']['output']>;
  /** Your sessions of the console, newest first, without those that have expired or were ended. Empty for programs. */
  sessions: Array<Session>;
  /**
   * Your profile. Null for programs; also for a user without a profile, which an accepted invitation or the
   * first write creates.
   */
  user?: Maybe<User>;
};

/** Your membership of one customer. */
export type ViewerMembership = {
  __typename?: 'ViewerMembership';
  /** The customer that you are a member of. */
  customer?: Maybe<Customer>;
  /**
   * Your rights at this customer: those of your role, or all if you are an operator. Billing status isn't
   * considered.
   * @deprecated Ignores suspension. Use Customer.viewerPermissions.
   */
  permissions: Array<Permission>;
  /** Your role at this customer. */
  role: Role;
};

/**
 * A part of a content that was accepted, but is likely a mistake: a schema or a tool's name that no provider takes, or a
 * secret. Never quotes a secret.
 */
export type Warning = {
  __typename?: 'Warning';
  /** The line within the prompt, from 1; null elsewhere. */
  line?: Maybe<Scalars['Int']['output']>;
  /** What is wrong and what would be right, for people. */
  message: Scalars['String']['output'];
  /** The place, as steps from the content, such as `["tools", "1", "inputSchema"]`. */
  path: Array<Scalars['String']['output']>;
  /**
   * The rule that is broken: `TOOL_NAME`, `SCHEMA_ROOT`, `DANGLING_REF`, `REMOTE_REF`, `PATTERN` or `SECRET`. New
   * ones may be added.
   */
  rule: Scalars['String']['output'];
};

/** The event streams that a subscription can watch. */
export type Watched =
  /** The stream of activations and deactivations. */
  | 'ACTIVATIONS'
  /** The stream of all entries of the audit log. */
  | 'CHANGES'
  /** The stream of active configurations. */
  | 'CONFIGS'
  /** The stream of customers' events, which `customerEvents` sends. */
  | 'CUSTOMER_EVENTS';

/** A subscription that is running on the instance that answered, for operators. */
export type Watcher = {
  __typename?: 'Watcher';
  /** The caller that subscribed. */
  actor: Actor;
  /** How many agents its arguments name; null if they name none. */
  agents?: Maybe<Scalars['Int']['output']>;
  /** How many commits it lags behind this instance; 0 if it's up to date. */
  behind: Scalars['Int']['output'];
  /** `clientInfo.name` of the socket's `connection_init`, at most 100 characters; null if it sent none. */
  clientName?: Maybe<Scalars['String']['output']>;
  /** `clientInfo.version` of the socket's `connection_init`, at most 100 characters; null if it sent none. */
  clientVersion?: Maybe<Scalars['String']['output']>;
  /** The UUID of the customer in its arguments; null if it watches every customer that it can see. */
  customerId?: Maybe<Scalars['ID']['output']>;
  /** The key of the only environment that it watches; null if it watches several, or is about none. */
  environmentKey?: Maybe<Scalars['String']['output']>;
  /** The subscription's UUID, valid while it runs. */
  id: Scalars['ID']['output'];
  /** The caller's name in its credential: a user's subject, or the name of an API key or service token. */
  name: Scalars['String']['output'];
  /** The caller's network, such as 192.0.2.0/24 (/48 for IPv6); null if unknown. */
  network?: Maybe<Scalars['String']['output']>;
  /** The last commit whose events it has received, or is receiving. */
  revision: Scalars['Revision']['output'];
  /** When the subscription began. */
  since: Scalars['DateTime']['output'];
  /** The stream that it watches. */
  watched: Watched;
};

/** A page of running subscriptions. */
export type WatcherConnection = {
  __typename?: 'WatcherConnection';
  /** The page's objects, each with its cursor, in the order of the list. */
  edges: Array<WatcherEdge>;
  /** The page's objects without cursors, in the order of the list. */
  nodes: Array<Watcher>;
  /** The first and last cursor of the page, and whether the list continues. */
  pageInfo: PageInfo;
  /**
   * The number of objects on all pages together, 10,000 at most. It usually counts rows, so ask only if you
   * show it.
   */
  totalCount: Scalars['Int']['output'];
  /**
   * False if the list has more than 10,000 objects: `totalCount` is 10,000 then. It costs no second count
   * beside `totalCount`.
   */
  totalCountIsExact: Scalars['Boolean']['output'];
};

/** One Watcher of a page, with its cursor. */
export type WatcherEdge = {
  __typename?: 'WatcherEdge';
  /** The object's position in the list: pass it as `after` or `before` to the same list. */
  cursor: Scalars['String']['output'];
  /** The object at this position. */
  node: Watcher;
};

export type MovedSubscriptionVariables = Exact<{
  customerId?: InputMaybe<Scalars['ID']['input']>;
  after?: InputMaybe<Scalars['Cursor']['input']>;
}>;


export type MovedSubscription = { __typename?: 'Subscription', customerEvents: { __typename?: 'CustomerEvent', cursor: string, revision: string, at: string, action: ChangeAction, customerId: string, agentId?: string | null, environmentKey?: string | null, actor: { __typename?: 'Actor', displayName: string }, agent?: { __typename?: 'Agent', name: string } | null, version?: { __typename?: 'AgentVersion', number: number } | null } };

export type FindQueryVariables = Exact<{
  search: Scalars['String']['input'];
  customer?: InputMaybe<Scalars['ID']['input']>;
  isOperator: Scalars['Boolean']['input'];
}>;


export type FindQuery = { __typename?: 'Query', agents: { __typename?: 'AgentConnection', nodes: Array<{ __typename?: 'Agent', id: string, name: string, customer: { __typename?: 'Customer', id: string, name: string } }> }, customers?: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string, name: string }> } };

export type FindNodeQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type FindNodeQuery = { __typename?: 'Query', node?:
    | { __typename: 'Activation' }
    | { __typename: 'Agent', id: string, name: string, customer: { __typename?: 'Customer', id: string, name: string } }
    | { __typename: 'AgentVersion', number: number, agent: { __typename?: 'Agent', id: string, name: string, customer: { __typename?: 'Customer', id: string } } }
    | { __typename: 'ApiKey' }
    | { __typename: 'Customer', id: string, name: string }
    | { __typename: 'Environment' }
    | { __typename: 'Invitation' }
    | { __typename: 'ServiceToken' }
    | { __typename: 'User' }
   | null };

export type FrameQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  hasCustomer: Scalars['Boolean']['input'];
}>;


export type FrameQuery = { __typename?: 'Query', revision: string, viewer: { __typename?: 'Viewer', displayName: string, isOperator: boolean, kind: ActorKind, platformPermissions: Array<Permission>, user?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, memberships: Array<{ __typename?: 'ViewerMembership', role: Role, customer?: { __typename?: 'Customer', id: string, name: string } | null }> }, customer?: { __typename?: 'Customer', id: string, name: string, erasedAt?: string | null, viewerPermissions: Array<Permission>, billing?: { __typename?: 'Billing', status: BillingStatus } | null, environments: Array<{ __typename?: 'Environment', id: string, key: string, name: string, rank: number, isDefault: boolean, activateRole: Role, promoteFrom?: { __typename?: 'Environment', key: string } | null }> } | null };

export type SwitcherQueryVariables = Exact<{
  search: Scalars['String']['input'];
}>;


export type SwitcherQuery = { __typename?: 'Query', named: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string, name: string, externalId?: string | null }> }, known: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string, name: string, externalId?: string | null }> } };

export type RecentCustomersQueryVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type RecentCustomersQuery = { __typename?: 'Query', customers: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string, name: string, externalId?: string | null }> } };

export type VersionNameFragment = { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null };

export type ActivationSubjectQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  environment: Scalars['String']['input'];
}>;


export type ActivationSubjectQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, name: string, archivedAt?: string | null, servings: Array<{ __typename?: 'Serving', viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, name: string, isDefault: boolean, activateRole: Role }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, rollbackTarget?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, latestActivation?: { __typename?: 'Activation', activatedAt: string, reason: ActivationReason, activatedBy: { __typename?: 'Actor', displayName: string }, version?: { __typename?: 'AgentVersion', number: number } | null } | null }>, activations: { __typename?: 'ActivationConnection', nodes: Array<{ __typename?: 'Activation', id: string, activatedAt: string, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null }> } } | null };

export type PlanPartsFragment = { __typename?: 'ActivationPlan', planHash: string, revision: string, impact: ChangeImpact, decision: PlanDecision, mustConfirm: Array<ChangeImpact>, affectedGateways: number, pendingGateways: number, environment: { __typename?: 'Environment', key: string, isDefault: boolean }, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, findings: Array<{ __typename?: 'Finding', impact: ChangeImpact, path: Array<string>, toolName?: string | null, before?: unknown | null, after?: unknown | null, message: string }>, policy: Array<{ __typename?: 'PolicyFinding', rule: PolicyRule, effect: PolicyEffect, message: string }> };

export type ActivationPlanOfQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  environment: Scalars['String']['input'];
  version?: InputMaybe<Scalars['ID']['input']>;
}>;


export type ActivationPlanOfQuery = { __typename?: 'Query', activationPlan?: { __typename?: 'ActivationPlan', planHash: string, revision: string, impact: ChangeImpact, decision: PlanDecision, mustConfirm: Array<ChangeImpact>, affectedGateways: number, pendingGateways: number, environment: { __typename?: 'Environment', key: string, isDefault: boolean }, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, findings: Array<{ __typename?: 'Finding', impact: ChangeImpact, path: Array<string>, toolName?: string | null, before?: unknown | null, after?: unknown | null, message: string }>, policy: Array<{ __typename?: 'PolicyFinding', rule: PolicyRule, effect: PolicyEffect, message: string }> } | null };

export type ActivationResultFragment = { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string, activatedAt: string, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, serving?: { __typename?: 'Serving', activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string }> };

export type ActivateVersionMutationVariables = Exact<{
  input: ActivateVersionInput;
}>;


export type ActivateVersionMutation = { __typename?: 'Mutation', answer: { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string, activatedAt: string, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, serving?: { __typename?: 'Serving', activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string }> } };

export type PromoteVersionMutationVariables = Exact<{
  input: PromoteVersionInput;
}>;


export type PromoteVersionMutation = { __typename?: 'Mutation', answer: { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string, activatedAt: string, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, serving?: { __typename?: 'Serving', activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string }> } };

export type RollBackMutationVariables = Exact<{
  input: RollbackInput;
}>;


export type RollBackMutation = { __typename?: 'Mutation', answer: { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string, activatedAt: string, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, serving?: { __typename?: 'Serving', activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string }> } };

export type DeactivateMutationVariables = Exact<{
  input: DeactivateInput;
}>;


export type DeactivateMutation = { __typename?: 'Mutation', answer: { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string, activatedAt: string, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, serving?: { __typename?: 'Serving', activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string }> } };

export type AgentQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
}>;


export type AgentQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, name: string, description?: string | null, createdAt: string, archivedAt?: string | null, viewerPermissions: Array<Permission>, owner?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, servings: Array<{ __typename?: 'Serving', activatedAt?: string | null, viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, name: string, isDefault: boolean, activateRole: Role, promoteFrom?: { __typename?: 'Environment', id: string, key: string } | null }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, rollbackTarget?: { __typename?: 'AgentVersion', id: string, number: number } | null, latestActivation?: { __typename?: 'Activation', id: string, reason: ActivationReason, activatedAt: string, activatedBy: { __typename?: 'Actor', displayName: string }, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null } | null }> } | null };

export type AgentVersionsQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type AgentVersionsQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, versions: { __typename?: 'AgentVersionConnection', pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null }, nodes: Array<{ __typename?: 'AgentVersion', id: string, number: number, message?: string | null, modelName: string, createdAt: string, createdBy: { __typename?: 'Actor', displayName: string }, diff?: { __typename?: 'VersionDiff', impact: ChangeImpact, isSame: boolean, modelNameChanged: boolean, toolsAdded: Array<string>, toolsRemoved: Array<string>, toolsChanged: Array<string> } | null }> } } | null };

export type AgentActivityQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  environments?: InputMaybe<Array<Scalars['String']['input']> | Scalars['String']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type AgentActivityQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, activations: { __typename?: 'ActivationConnection', pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null }, nodes: Array<{ __typename?: 'Activation', id: string, activatedAt: string, reason: ActivationReason, revision: string, activatedBy: { __typename?: 'Actor', displayName: string }, environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean }, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, message?: string | null } | null }> } } | null };

export type AgentRowFragment = { __typename?: 'Agent', id: string, name: string, description?: string | null, archivedAt?: string | null, viewerPermissions: Array<Permission>, owner?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, latestActivation?: { __typename?: 'Activation', activatedAt: string } | null, servings: Array<{ __typename?: 'Serving', viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string } | null }> };

export type AgentsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AgentFilter>;
  order?: InputMaybe<AgentOrder>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type AgentsQuery = { __typename?: 'Query', agents: { __typename?: 'AgentConnection', pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null }, nodes: Array<{ __typename?: 'Agent', id: string, name: string, description?: string | null, archivedAt?: string | null, viewerPermissions: Array<Permission>, owner?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, latestActivation?: { __typename?: 'Activation', activatedAt: string } | null, servings: Array<{ __typename?: 'Serving', viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string } | null }> }> } };

export type AgentCountQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AgentFilter>;
}>;


export type AgentCountQuery = { __typename?: 'Query', agents: { __typename?: 'AgentConnection', totalCount: number, totalCountIsExact: boolean } };

export type AgentRowsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment?: InputMaybe<Scalars['String']['input']>;
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type AgentRowsQuery = { __typename?: 'Query', agents: { __typename?: 'AgentConnection', nodes: Array<{ __typename?: 'Agent', id: string, name: string, description?: string | null, archivedAt?: string | null, viewerPermissions: Array<Permission>, owner?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, latestActivation?: { __typename?: 'Activation', activatedAt: string } | null, servings: Array<{ __typename?: 'Serving', viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string } | null }> }> } };

export type ModelsOfCustomerQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment?: InputMaybe<Scalars['String']['input']>;
}>;


export type ModelsOfCustomerQuery = { __typename?: 'Query', modelsInUse: Array<{ __typename?: 'ModelInUse', name: string, agentCount: number }> };

export type CreateAgentMutationVariables = Exact<{
  input: CreateAgentInput;
}>;


export type CreateAgentMutation = { __typename?: 'Mutation', createAgent: { __typename?: 'CreateAgentPayload', agent?: { __typename?: 'Agent', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, field?: string | null, path?: Array<string> | null }> } };

export type UpdateAgentMutationVariables = Exact<{
  input: UpdateAgentInput;
}>;


export type UpdateAgentMutation = { __typename?: 'Mutation', updateAgent: { __typename?: 'UpdateAgentPayload', agent?: { __typename?: 'Agent', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, field?: string | null, path?: Array<string> | null }> } };

export type ArchiveAgentMutationVariables = Exact<{
  input: ArchiveAgentInput;
}>;


export type ArchiveAgentMutation = { __typename?: 'Mutation', archiveAgent: { __typename?: 'ArchiveAgentPayload', agent?: { __typename?: 'Agent', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, field?: string | null, path?: Array<string> | null }> } };

export type RestoreAgentMutationVariables = Exact<{
  input: RestoreAgentInput;
}>;


export type RestoreAgentMutation = { __typename?: 'Mutation', restoreAgent: { __typename?: 'RestoreAgentPayload', agent?: { __typename?: 'Agent', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, field?: string | null, path?: Array<string> | null }> } };

export type OwnersQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
}>;


export type OwnersQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, members?: { __typename?: 'MembershipConnection', nodes: Array<{ __typename?: 'Membership', id: string, role: Role, user: { __typename?: 'User', id: string, name?: string | null, email?: string | null } }> } | null } | null };

export type AuditEntryFragment = { __typename?: 'Change', id: string, revision: string, position: number, cursor: string, at: string, action: ChangeAction, channel?: Channel | null, network?: string | null, requestId?: string | null, rowHash: string, chainHash: string, agentId?: string | null, subjectId?: string | null, actor: { __typename?: 'Actor', id?: string | null, kind: ActorKind, displayName: string }, agent?: { __typename?: 'Agent', id: string, name: string } | null, version?: { __typename?: 'AgentVersion', number: number } | null, environment?: { __typename?: 'Environment', key: string, isDefault: boolean } | null, subject?:
    | { __typename: 'Activation', reason: ActivationReason, version?: { __typename?: 'AgentVersion', number: number } | null, previousVersion?: { __typename?: 'AgentVersion', number: number } | null }
    | { __typename: 'ApiKey', name: string }
    | { __typename: 'Environment' }
    | { __typename: 'Invitation', email: string, role: Role }
    | { __typename: 'ServiceToken', name: string }
    | { __typename: 'User', personName?: string | null, personEmail?: string | null }
   | null, fieldChanges: Array<{ __typename?: 'FieldChange', path: Array<string>, kind: FieldChangeKind, before?: unknown | null, after?: unknown | null }> };

export type AuditQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  filter?: InputMaybe<ChangeFilter>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type AuditQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, changes?: { __typename?: 'ChangeConnection', nodes: Array<{ __typename?: 'Change', id: string, revision: string, position: number, cursor: string, at: string, action: ChangeAction, channel?: Channel | null, network?: string | null, requestId?: string | null, rowHash: string, chainHash: string, agentId?: string | null, subjectId?: string | null, actor: { __typename?: 'Actor', id?: string | null, kind: ActorKind, displayName: string }, agent?: { __typename?: 'Agent', id: string, name: string } | null, version?: { __typename?: 'AgentVersion', number: number } | null, environment?: { __typename?: 'Environment', key: string, isDefault: boolean } | null, subject?:
          | { __typename: 'Activation', reason: ActivationReason, version?: { __typename?: 'AgentVersion', number: number } | null, previousVersion?: { __typename?: 'AgentVersion', number: number } | null }
          | { __typename: 'ApiKey', name: string }
          | { __typename: 'Environment' }
          | { __typename: 'Invitation', email: string, role: Role }
          | { __typename: 'ServiceToken', name: string }
          | { __typename: 'User', personName?: string | null, personEmail?: string | null }
         | null, fieldChanges: Array<{ __typename?: 'FieldChange', path: Array<string>, kind: FieldChangeKind, before?: unknown | null, after?: unknown | null }> }>, pageInfo: { __typename?: 'PageInfo', startCursor?: string | null, hasNextPage: boolean, endCursor?: string | null } } | null } | null };

export type AuditAroundQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  filter?: InputMaybe<ChangeFilter>;
}>;


export type AuditAroundQuery = { __typename?: 'Query', auditStatus: { __typename?: 'AuditStatus', revision: string, chainHash: string, verifiedRevision?: string | null, verifiedAt?: string | null, isIntact?: boolean | null }, customer?: { __typename?: 'Customer', id: string, changes?: { __typename?: 'ChangeConnection', totalCount: number, totalCountIsExact: boolean } | null } | null };

export type NewerChangesQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  filter?: InputMaybe<ChangeFilter>;
  before: Scalars['String']['input'];
}>;


export type NewerChangesQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, changes?: { __typename?: 'ChangeConnection', nodes: Array<{ __typename?: 'Change', id: string }> } | null } | null };

export type AuditNamesQueryVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type AuditNamesQuery = { __typename?: 'Query', nodes: Array<
    | { __typename: 'Activation', id: string }
    | { __typename: 'Agent', name: string, id: string }
    | { __typename: 'AgentVersion', number: number, id: string }
    | { __typename: 'ApiKey', id: string }
    | { __typename: 'Customer', id: string }
    | { __typename: 'Environment', key: string, id: string }
    | { __typename: 'Invitation', id: string }
    | { __typename: 'ServiceToken', name: string, id: string }
    | { __typename: 'User', id: string, personName?: string | null, personEmail?: string | null }
   | null> };

export type AuditAgentsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  name: Scalars['String']['input'];
}>;


export type AuditAgentsQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, agents: { __typename?: 'AgentConnection', nodes: Array<{ __typename?: 'Agent', id: string, name: string }> } } | null };

export type AuditRevisionSubscriptionVariables = Exact<{
  customer: Scalars['ID']['input'];
  after: Scalars['Cursor']['input'];
}>;


export type AuditRevisionSubscription = { __typename?: 'Subscription', changes: { __typename?: 'Change', id: string, revision: string, position: number, cursor: string, at: string, action: ChangeAction, channel?: Channel | null, network?: string | null, requestId?: string | null, rowHash: string, chainHash: string, agentId?: string | null, subjectId?: string | null, actor: { __typename?: 'Actor', id?: string | null, kind: ActorKind, displayName: string }, agent?: { __typename?: 'Agent', id: string, name: string } | null, version?: { __typename?: 'AgentVersion', number: number } | null, environment?: { __typename?: 'Environment', key: string, isDefault: boolean } | null, subject?:
      | { __typename: 'Activation', reason: ActivationReason, version?: { __typename?: 'AgentVersion', number: number } | null, previousVersion?: { __typename?: 'AgentVersion', number: number } | null }
      | { __typename: 'ApiKey', name: string }
      | { __typename: 'Environment' }
      | { __typename: 'Invitation', email: string, role: Role }
      | { __typename: 'ServiceToken', name: string }
      | { __typename: 'User', personName?: string | null, personEmail?: string | null }
     | null, fieldChanges: Array<{ __typename?: 'FieldChange', path: Array<string>, kind: FieldChangeKind, before?: unknown | null, after?: unknown | null }> } };

export type CompareVersionsQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
}>;


export type CompareVersionsQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, name: string, viewerPermissions: Array<Permission>, archivedAt?: string | null, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, versions: { __typename?: 'AgentVersionConnection', nodes: Array<{ __typename?: 'AgentVersion', id: string, number: number, message?: string | null }> }, servings: Array<{ __typename?: 'Serving', environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null }> } | null };

export type CompareQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  from: Scalars['Int']['input'];
  to: Scalars['Int']['input'];
}>;


export type CompareQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, diff?: { __typename?: 'VersionDiff', isSame: boolean, impact: ChangeImpact, toolsReordered: boolean, modelNameChanged: boolean, from: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null, createdAt: string, createdBy: { __typename?: 'Actor', displayName: string } }, to: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null, createdAt: string, createdBy: { __typename?: 'Actor', displayName: string } }, findings: Array<{ __typename?: 'Finding', impact: ChangeImpact, path: Array<string>, toolName?: string | null, before?: unknown | null, after?: unknown | null, message: string }>, changes: Array<{ __typename?: 'FieldChange', path: Array<string>, kind: FieldChangeKind, before?: unknown | null, after?: unknown | null }>, hunks: Array<{ __typename?: 'DiffHunk', oldStart: number, newStart: number, lines: Array<{ __typename?: 'DiffLine', kind: DiffLineKind, text: string }> }> } | null } | null };

export type ConnectQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
}>;


export type ConnectQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, agents: { __typename?: 'AgentConnection', totalCount: number, nodes: Array<{ __typename?: 'Agent', id: string, name: string }> } } | null };

export type MakeGatewayKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type MakeGatewayKeyMutation = { __typename?: 'Mutation', createApiKey: { __typename?: 'CreateApiKeyPayload', secret?: string | null, revision?: string | null, apiKey?: { __typename?: 'ApiKey', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type ReportsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment: Scalars['String']['input'];
  isOperator: Scalars['Boolean']['input'];
}>;


export type ReportsQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, environments: Array<{ __typename?: 'Environment', key: string, convergence?: { __typename?: 'Convergence', revision: string, gateways: number, applied: number } | null }> } | null, agents: { __typename?: 'AgentConnection', totalCount: number }, gateways?: { __typename?: 'GatewayConnection', nodes: Array<{ __typename?: 'Gateway', id: string, name: string, since: string, actor: { __typename?: 'Actor', id?: string | null, displayName: string } }> } };

export type CustomerRowFragment = { __typename?: 'Customer', id: string, name: string, externalId?: string | null, createdAt: string, lastActivityAt: string, erasedAt?: string | null, plan?: Plan | null, billing?: { __typename?: 'Billing', status: BillingStatus } | null, usage?: { __typename?: 'Usage', agents: { __typename?: 'Quota', used: number, limit: number }, members: { __typename?: 'Quota', used: number, limit: number }, apiKeys: { __typename?: 'Quota', used: number, limit: number } } | null };

export type CustomersQueryVariables = Exact<{
  filter?: InputMaybe<CustomerFilter>;
  orderBy?: InputMaybe<CustomerOrder>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type CustomersQuery = { __typename?: 'Query', customers: { __typename?: 'CustomerConnection', totalCount: number, totalCountIsExact: boolean, nodes: Array<{ __typename?: 'Customer', id: string, name: string, externalId?: string | null, createdAt: string, lastActivityAt: string, erasedAt?: string | null, plan?: Plan | null, billing?: { __typename?: 'Billing', status: BillingStatus } | null, usage?: { __typename?: 'Usage', agents: { __typename?: 'Quota', used: number, limit: number }, members: { __typename?: 'Quota', used: number, limit: number }, apiKeys: { __typename?: 'Quota', used: number, limit: number } } | null }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } };

export type PlansQueryVariables = Exact<{ [key: string]: never; }>;


export type PlansQuery = { __typename?: 'Query', plans: Array<{ __typename?: 'PlanLimits', plan: Plan, agents: number, apiKeys: number, environments: number, members: number, requestsPerSecond: number, versionsPerAgent: number }> };

export type CreateCustomerMutationVariables = Exact<{
  input: CreateCustomerInput;
}>;


export type CreateCustomerMutation = { __typename?: 'Mutation', createCustomer: { __typename?: 'CreateCustomerPayload', customer?: { __typename?: 'Customer', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type UpdateCustomerMutationVariables = Exact<{
  input: UpdateCustomerInput;
}>;


export type UpdateCustomerMutation = { __typename?: 'Mutation', updateCustomer: { __typename?: 'UpdateCustomerPayload', customer?: { __typename?: 'Customer', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type SetPlanMutationVariables = Exact<{
  input: SetPlanInput;
}>;


export type SetPlanMutation = { __typename?: 'Mutation', setPlan: { __typename?: 'SetPlanPayload', customer?: { __typename?: 'Customer', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type SetBillingStatusMutationVariables = Exact<{
  input: SetBillingStatusInput;
}>;


export type SetBillingStatusMutation = { __typename?: 'Mutation', setBillingStatus: { __typename?: 'SetBillingStatusPayload', customer?: { __typename?: 'Customer', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type EraseCustomerMutationVariables = Exact<{
  input: EraseCustomerInput;
}>;


export type EraseCustomerMutation = { __typename?: 'Mutation', eraseCustomer: { __typename?: 'EraseCustomerPayload', customer?: { __typename?: 'Customer', id: string, erasedAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type EnvironmentRulesFragment = { __typename?: 'Environment', id: string, key: string, name: string, rank: number, isDefault: boolean, minSoakSeconds: number, onBreaking: BreakingPolicy, allowedModels?: Array<string> | null, activateRole: Role, createdAt: string, archivedAt?: string | null, promoteFrom?: { __typename?: 'Environment', id: string, key: string, isDefault: boolean } | null };

export type EnvironmentsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
}>;


export type EnvironmentsQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, environments: Array<{ __typename?: 'Environment', id: string, key: string, name: string, rank: number, isDefault: boolean, minSoakSeconds: number, onBreaking: BreakingPolicy, allowedModels?: Array<string> | null, activateRole: Role, createdAt: string, archivedAt?: string | null, promoteFrom?: { __typename?: 'Environment', id: string, key: string, isDefault: boolean } | null }>, usage?: { __typename?: 'Usage', environments: { __typename?: 'Quota', used: number, limit: number } } | null } | null };

export type EnvironmentServingQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment: Scalars['String']['input'];
}>;


export type EnvironmentServingQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, agents: { __typename?: 'AgentConnection', totalCount: number } } | null };

export type CreateEnvironmentMutationVariables = Exact<{
  input: CreateEnvironmentInput;
}>;


export type CreateEnvironmentMutation = { __typename?: 'Mutation', createEnvironment: { __typename?: 'CreateEnvironmentPayload', environment?: { __typename?: 'Environment', id: string, key: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type UpdateEnvironmentMutationVariables = Exact<{
  input: UpdateEnvironmentInput;
}>;


export type UpdateEnvironmentMutation = { __typename?: 'Mutation', updateEnvironment: { __typename?: 'UpdateEnvironmentPayload', environment?: { __typename?: 'Environment', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type ArchiveEnvironmentMutationVariables = Exact<{
  input: ArchiveEnvironmentInput;
}>;


export type ArchiveEnvironmentMutation = { __typename?: 'Mutation', archiveEnvironment: { __typename?: 'ArchiveEnvironmentPayload', environment?: { __typename?: 'Environment', id: string, archivedAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RestoreEnvironmentMutationVariables = Exact<{
  input: RestoreEnvironmentInput;
}>;


export type RestoreEnvironmentMutation = { __typename?: 'Mutation', restoreEnvironment: { __typename?: 'RestoreEnvironmentPayload', environment?: { __typename?: 'Environment', id: string, archivedAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type GatewaysQueryVariables = Exact<{
  environment?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<GatewayFilter>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type GatewaysQuery = { __typename?: 'Query', gateways: { __typename?: 'GatewayConnection', totalCount: number, nodes: Array<{ __typename?: 'Gateway', id: string, name: string, state: GatewayState, build?: string | null, region?: string | null, clientName?: string | null, clientVersion?: string | null, appliedRevision?: string | null, behind: number, lastReportAt?: string | null, actor: { __typename?: 'Actor', displayName: string }, rejections: Array<{ __typename?: 'ServingRejection', code: RejectionCode, message?: string | null, agent: { __typename?: 'Agent', name: string }, version: { __typename?: 'AgentVersion', number: number } }> }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } };

export type GatewayEnvironmentsQueryVariables = Exact<{ [key: string]: never; }>;


export type GatewayEnvironmentsQuery = { __typename?: 'Query', customers: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string, environments: Array<{ __typename?: 'Environment', key: string }> }> } };

export type WatchersQueryVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type WatchersQuery = { __typename?: 'Query', revision: string, watchers: { __typename?: 'WatcherConnection', totalCount: number, nodes: Array<{ __typename?: 'Watcher', id: string, name: string, watched: Watched, environmentKey?: string | null, customerId?: string | null, agents?: number | null, network?: string | null, revision: string, behind: number, since: string, actor: { __typename?: 'Actor', kind: ActorKind, displayName: string } }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } };

export type WatchedCustomersQueryVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type WatchedCustomersQuery = { __typename?: 'Query', nodes: Array<
    | { __typename?: 'Activation', id: string }
    | { __typename?: 'Agent', id: string }
    | { __typename?: 'AgentVersion', id: string }
    | { __typename?: 'ApiKey', id: string }
    | { __typename?: 'Customer', name: string, id: string }
    | { __typename?: 'Environment', id: string }
    | { __typename?: 'Invitation', id: string }
    | { __typename?: 'ServiceToken', id: string }
    | { __typename?: 'User', id: string }
   | null> };

export type FirstCustomerQueryVariables = Exact<{ [key: string]: never; }>;


export type FirstCustomerQuery = { __typename?: 'Query', customers: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string }> } };

export type CreateFirstCustomerMutationVariables = Exact<{
  input: CreateCustomerInput;
}>;


export type CreateFirstCustomerMutation = { __typename?: 'Mutation', createCustomer: { __typename?: 'CreateCustomerPayload', revision?: string | null, customer?: { __typename?: 'Customer', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type SampleEnvironmentMutationVariables = Exact<{
  input: CreateEnvironmentInput;
}>;


export type SampleEnvironmentMutation = { __typename?: 'Mutation', createEnvironment: { __typename?: 'CreateEnvironmentPayload', revision?: string | null, environment?: { __typename?: 'Environment', id: string, key: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type SampleAgentMutationVariables = Exact<{
  input: CreateAgentInput;
}>;


export type SampleAgentMutation = { __typename?: 'Mutation', createAgent: { __typename?: 'CreateAgentPayload', revision?: string | null, agent?: { __typename?: 'Agent', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type SampleVersionMutationVariables = Exact<{
  input: PublishVersionInput;
}>;


export type SampleVersionMutation = { __typename?: 'Mutation', publishVersion: { __typename?: 'PublishVersionPayload', revision?: string | null, version?: { __typename?: 'AgentVersion', id: string, number: number } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type SampleActivationMutationVariables = Exact<{
  input: ActivateVersionInput;
}>;


export type SampleActivationMutation = { __typename?: 'Mutation', activateVersion: { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type SampleRollbackMutationVariables = Exact<{
  input: RollbackInput;
}>;


export type SampleRollbackMutation = { __typename?: 'Mutation', rollback: { __typename?: 'ActivateVersionPayload', revision?: string | null, activation?: { __typename?: 'Activation', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type InstanceQueryVariables = Exact<{ [key: string]: never; }>;


export type InstanceQuery = { __typename?: 'Query', instance: { __typename?: 'Instance', version: string, startedAt: string, revision: string, behind: number, watchers: number, problems: Array<string> }, auditStatus: { __typename?: 'AuditStatus', revision: string, verifiedRevision?: string | null, verifiedAt?: string | null, isIntact?: boolean | null } };

export type PendingInvitationsQueryVariables = Exact<{ [key: string]: never; }>;


export type PendingInvitationsQuery = { __typename?: 'Query', viewer: { __typename?: 'Viewer', displayName: string, user?: { __typename?: 'User', email?: string | null } | null, pendingInvitations: Array<{ __typename?: 'PendingInvitation', customerName?: string | null, role?: Role | null, expiresAt: string, blockedBy?: InvitationBlock | null }>, memberships: Array<{ __typename?: 'ViewerMembership', role: Role, customer?: { __typename?: 'Customer', id: string, name: string, createdAt: string } | null }> } };

export type KeysQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type KeysQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, apiKeys?: { __typename?: 'ApiKeyConnection', totalCount: number, nodes: Array<{ __typename?: 'ApiKey', id: string, name: string, grantedScopes: Array<ApiKeyScope>, environments?: Array<string> | null, createdAt: string, expiresAt?: string | null, lastUsedAt?: string | null, replacedById?: string | null, revokedAt?: string | null, createdBy: { __typename?: 'Actor', displayName: string } }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } | null, usage?: { __typename?: 'Usage', apiKeys: { __typename?: 'Quota', used: number, limit: number } } | null } | null };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { __typename?: 'Mutation', createApiKey: { __typename?: 'CreateApiKeyPayload', secret?: string | null, apiKey?: { __typename?: 'ApiKey', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RotateApiKeyMutationVariables = Exact<{
  input: RotateApiKeyInput;
}>;


export type RotateApiKeyMutation = { __typename?: 'Mutation', rotateApiKey: { __typename?: 'RotateApiKeyPayload', secret?: string | null, apiKey?: { __typename?: 'ApiKey', id: string, name: string } | null, previous?: { __typename?: 'ApiKey', id: string, expiresAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RevokeApiKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeApiKeyMutation = { __typename?: 'Mutation', revokeApiKey: { __typename?: 'RevokeApiKeyPayload', apiKey?: { __typename?: 'ApiKey', id: string, revokedAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type OperatorsQueryVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type OperatorsQuery = { __typename?: 'Query', users: { __typename?: 'UserConnection', totalCount: number, nodes: Array<{ __typename?: 'User', id: string, name?: string | null, email?: string | null, createdAt: string, identities?: Array<{ __typename?: 'Identity', issuer: string, subject: string }> | null }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } };

export type FindUsersQueryVariables = Exact<{
  email: Scalars['String']['input'];
}>;


export type FindUsersQuery = { __typename?: 'Query', users: { __typename?: 'UserConnection', nodes: Array<{ __typename?: 'User', id: string, name?: string | null, email?: string | null }> } };

export type AddOperatorMutationVariables = Exact<{
  input: AddOperatorInput;
}>;


export type AddOperatorMutation = { __typename?: 'Mutation', addOperator: { __typename?: 'AddOperatorPayload', user?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RemoveOperatorMutationVariables = Exact<{
  input: RemoveOperatorInput;
}>;


export type RemoveOperatorMutation = { __typename?: 'Mutation', removeOperator: { __typename?: 'RemoveOperatorPayload', userId?: string | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type OverviewQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environments: Array<Scalars['String']['input']> | Scalars['String']['input'];
  since: Scalars['DateTime']['input'];
  timeZone: Scalars['String']['input'];
  isOperator: Scalars['Boolean']['input'];
}>;


export type OverviewQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, createdAt: string, plan?: Plan | null, usage?: { __typename?: 'Usage', agents: { __typename?: 'Quota', used: number, limit: number }, apiKeys: { __typename?: 'Quota', used: number, limit: number }, environments: { __typename?: 'Quota', used: number, limit: number }, members: { __typename?: 'Quota', used: number, limit: number }, versionsPerAgent: { __typename?: 'Quota', used: number, limit: number } } | null, all: { __typename?: 'AgentConnection', totalCount: number, nodes: Array<{ __typename?: 'Agent', id: string, latestVersion?: { __typename?: 'AgentVersion', number: number } | null }> }, environments: Array<{ __typename?: 'Environment', id: string, key: string, isDefault: boolean, convergence?: { __typename?: 'Convergence', revision: string, gateways: number, applied: number, pending: number, late: number, rejected: number, silent: number, rejections: Array<{ __typename?: 'ServingRejection', code: RejectionCode, message?: string | null, gatewayName?: string | null, agent: { __typename?: 'Agent', id: string, name: string }, version: { __typename?: 'AgentVersion', number: number } }> } | null }>, apiKeys?: { __typename?: 'ApiKeyConnection', totalCount: number, nodes: Array<{ __typename?: 'ApiKey', id: string, name: string, expiresAt?: string | null, revokedAt?: string | null, replacedById?: string | null }> } | null, members?: { __typename?: 'MembershipConnection', totalCount: number } | null, invitations?: { __typename?: 'InvitationConnection', totalCount: number } | null } | null, activationCounts: Array<{ __typename?: 'ActivationCount', day: string, reason: ActivationReason, count: number }>, instance?: { __typename?: 'Instance', version: string, behind: number, problems: Array<string> } };

export type ServingCountQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environment: Scalars['String']['input'];
}>;


export type ServingCountQuery = { __typename?: 'Query', agents: { __typename?: 'AgentConnection', totalCount: number } };

export type LatestActivationsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  environments: Array<Scalars['String']['input']> | Scalars['String']['input'];
}>;


export type LatestActivationsQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, activations: { __typename?: 'ActivationConnection', nodes: Array<{ __typename?: 'Activation', id: string, activatedAt: string, reason: ActivationReason, activatedBy: { __typename?: 'Actor', displayName: string, kind: ActorKind }, agent: { __typename?: 'Agent', id: string, name: string }, environment: { __typename?: 'Environment', key: string, isDefault: boolean }, previousVersion?: { __typename?: 'AgentVersion', number: number } | null, version?: { __typename?: 'AgentVersion', number: number } | null }> } } | null };

export type LatestActivationFragment = { __typename?: 'Activation', id: string, activatedAt: string, reason: ActivationReason, activatedBy: { __typename?: 'Actor', displayName: string, kind: ActorKind }, agent: { __typename?: 'Agent', id: string, name: string }, environment: { __typename?: 'Environment', key: string, isDefault: boolean }, previousVersion?: { __typename?: 'AgentVersion', number: number } | null, version?: { __typename?: 'AgentVersion', number: number } | null };

export type DayOfActivationsQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  since: Scalars['DateTime']['input'];
  until: Scalars['DateTime']['input'];
}>;


export type DayOfActivationsQuery = { __typename?: 'Query', changes: { __typename?: 'ChangeConnection', totalCount: number, nodes: Array<{ __typename?: 'Change', id: string, at: string, action: ChangeAction, actor: { __typename?: 'Actor', displayName: string }, agent?: { __typename?: 'Agent', id: string, name: string } | null, version?: { __typename?: 'AgentVersion', number: number } | null, environment?: { __typename?: 'Environment', key: string, isDefault: boolean } | null }> } };

export type PeopleQueryVariables = Exact<{
  customer: Scalars['ID']['input'];
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type PeopleQuery = { __typename?: 'Query', customer?: { __typename?: 'Customer', id: string, members?: { __typename?: 'MembershipConnection', totalCount: number, nodes: Array<{ __typename?: 'Membership', id: string, createdAt: string, email?: string | null, role: Role, source: MembershipSource, user: { __typename?: 'User', id: string, name?: string | null, identities?: Array<{ __typename?: 'Identity', issuer: string, subject: string }> | null } }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } | null, invitations?: { __typename?: 'InvitationConnection', totalCount: number, nodes: Array<{ __typename?: 'Invitation', id: string, email: string, role: Role, createdAt: string, expiresAt: string, acceptUrl?: string | null, invitedBy: { __typename?: 'Actor', displayName: string } }> } | null, usage?: { __typename?: 'Usage', members: { __typename?: 'Quota', used: number, limit: number } } | null } | null };

export type InviteMemberMutationVariables = Exact<{
  input: InviteMemberInput;
}>;


export type InviteMemberMutation = { __typename?: 'Mutation', inviteMember: { __typename?: 'InviteMemberPayload', invitation?: { __typename?: 'Invitation', id: string, email: string, role: Role, expiresAt: string, acceptUrl?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type AddMemberMutationVariables = Exact<{
  input: AddMemberInput;
}>;


export type AddMemberMutation = { __typename?: 'Mutation', addMember: { __typename?: 'AddMemberPayload', membership?: { __typename?: 'Membership', id: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type ChangeMemberRoleMutationVariables = Exact<{
  input: ChangeMemberRoleInput;
}>;


export type ChangeMemberRoleMutation = { __typename?: 'Mutation', changeMemberRole: { __typename?: 'ChangeMemberRolePayload', membership?: { __typename?: 'Membership', id: string, role: Role } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RemoveMemberMutationVariables = Exact<{
  input: RemoveMemberInput;
}>;


export type RemoveMemberMutation = { __typename?: 'Mutation', removeMember: { __typename?: 'RemoveMemberPayload', userId?: string | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RevokeInvitationMutationVariables = Exact<{
  input: RevokeInvitationInput;
}>;


export type RevokeInvitationMutation = { __typename?: 'Mutation', revokeInvitation: { __typename?: 'RevokeInvitationPayload', invitationId?: string | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type PublishPlaceQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
}>;


export type PublishPlaceQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, name: string, archivedAt?: string | null, viewerPermissions: Array<Permission>, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number, createdBy: { __typename?: 'Actor', displayName: string } } | null, servings: Array<{ __typename?: 'Serving', viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean, activateRole: Role }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null }> } | null };

export type ContentWarningsQueryVariables = Exact<{
  content: VersionContentInput;
}>;


export type ContentWarningsQuery = { __typename?: 'Query', versionWarnings: Array<{ __typename?: 'Warning', rule: string, path: Array<string>, line?: number | null, message: string }> };

export type ContentPlanQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  environment: Scalars['String']['input'];
  content: VersionContentInput;
}>;


export type ContentPlanQuery = { __typename?: 'Query', activationPlan?: { __typename?: 'ActivationPlan', planHash: string, revision: string, impact: ChangeImpact, decision: PlanDecision, mustConfirm: Array<ChangeImpact>, affectedGateways: number, pendingGateways: number, environment: { __typename?: 'Environment', key: string, isDefault: boolean }, previousVersion?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, version?: { __typename?: 'AgentVersion', id: string, number: number, modelName: string, message?: string | null } | null, findings: Array<{ __typename?: 'Finding', impact: ChangeImpact, path: Array<string>, toolName?: string | null, before?: unknown | null, after?: unknown | null, message: string }>, policy: Array<{ __typename?: 'PolicyFinding', rule: PolicyRule, effect: PolicyEffect, message: string }> } | null };

export type PublishVersionMutationVariables = Exact<{
  input: PublishVersionInput;
}>;


export type PublishVersionMutation = { __typename?: 'Mutation', publishVersion: { __typename?: 'PublishVersionPayload', isNew: boolean, version?: { __typename?: 'AgentVersion', id: string, number: number } | null, warnings: Array<{ __typename?: 'Warning', rule: string, path: Array<string>, line?: number | null, message: string }>, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, field?: string | null, path?: Array<string> | null }> } };

export type ServiceTokensQueryVariables = Exact<{
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type ServiceTokensQuery = { __typename?: 'Query', serviceTokens: { __typename?: 'ServiceTokenConnection', totalCount: number, nodes: Array<{ __typename?: 'ServiceToken', id: string, name: string, grantedScopes: Array<ServiceScope>, customerIds?: Array<string> | null, environments?: Array<string> | null, createdAt: string, expiresAt?: string | null, lastUsedAt?: string | null, replacedById?: string | null, revokedAt?: string | null, createdBy: { __typename?: 'Actor', displayName: string } }>, pageInfo: { __typename?: 'PageInfo', hasNextPage: boolean, endCursor?: string | null } } };

export type TokenCustomersQueryVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type TokenCustomersQuery = { __typename?: 'Query', nodes: Array<
    | { __typename?: 'Activation', id: string }
    | { __typename?: 'Agent', id: string }
    | { __typename?: 'AgentVersion', id: string }
    | { __typename?: 'ApiKey', id: string }
    | { __typename?: 'Customer', name: string, id: string }
    | { __typename?: 'Environment', id: string }
    | { __typename?: 'Invitation', id: string }
    | { __typename?: 'ServiceToken', id: string }
    | { __typename?: 'User', id: string }
   | null> };

export type FindCustomersQueryVariables = Exact<{
  name: Scalars['String']['input'];
}>;


export type FindCustomersQuery = { __typename?: 'Query', customers: { __typename?: 'CustomerConnection', nodes: Array<{ __typename?: 'Customer', id: string, name: string }> } };

export type CreateServiceTokenMutationVariables = Exact<{
  input: CreateServiceTokenInput;
}>;


export type CreateServiceTokenMutation = { __typename?: 'Mutation', createServiceToken: { __typename?: 'CreateServiceTokenPayload', secret?: string | null, serviceToken?: { __typename?: 'ServiceToken', id: string, name: string } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RotateServiceTokenMutationVariables = Exact<{
  input: RotateServiceTokenInput;
}>;


export type RotateServiceTokenMutation = { __typename?: 'Mutation', rotateServiceToken: { __typename?: 'RotateServiceTokenPayload', secret?: string | null, serviceToken?: { __typename?: 'ServiceToken', id: string } | null, previous?: { __typename?: 'ServiceToken', id: string, expiresAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type RevokeServiceTokenMutationVariables = Exact<{
  input: RevokeServiceTokenInput;
}>;


export type RevokeServiceTokenMutation = { __typename?: 'Mutation', revokeServiceToken: { __typename?: 'RevokeServiceTokenPayload', serviceToken?: { __typename?: 'ServiceToken', id: string, revokedAt?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, field?: string | null, path?: Array<string> | null, message: string }> } };

export type SettingsQueryVariables = Exact<{ [key: string]: never; }>;


export type SettingsQuery = { __typename?: 'Query', viewer: { __typename?: 'Viewer', displayName: string, name: string, kind: ActorKind, user?: { __typename?: 'User', id: string, name?: string | null, email?: string | null } | null, sessions: Array<{ __typename?: 'Session', id: string, isCurrent: boolean, createdAt: string, lastSeenAt: string, expiresAt: string, network?: string | null, client?: string | null }> } };

export type RevokeSessionMutationVariables = Exact<{
  input: RevokeSessionInput;
}>;


export type RevokeSessionMutation = { __typename?: 'Mutation', revokeSession: { __typename?: 'RevokeSessionPayload', sessionId?: string | null, revision?: string | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type RevokeOtherSessionsMutationVariables = Exact<{
  input: RevokeOtherSessionsInput;
}>;


export type RevokeOtherSessionsMutation = { __typename?: 'Mutation', revokeOtherSessions: { __typename?: 'RevokeOtherSessionsPayload', sessionIds: Array<string>, revision?: string | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type UpdateOwnProfileMutationVariables = Exact<{
  input: UpdateProfileInput;
}>;


export type UpdateOwnProfileMutation = { __typename?: 'Mutation', updateProfile: { __typename?: 'UpdateProfilePayload', revision?: string | null, user?: { __typename?: 'User', id: string, name?: string | null } | null, userErrors: Array<{ __typename?: 'UserError', code: UserErrorCode, message: string, path?: Array<string> | null }> } };

export type VersionContentFragment = { __typename?: 'AgentVersion', id: string, number: number, message?: string | null, createdAt: string, modelName: string, modelParameters: unknown, systemPrompt: string, extensions: unknown, contentHash: string, bytesHash: string, contentBytes: number, variables: Array<string>, createdBy: { __typename?: 'Actor', kind: ActorKind, displayName: string }, tools: Array<{ __typename?: 'Tool', name: string, title?: string | null, description?: string | null, inputSchema?: unknown | null, outputSchema?: unknown | null, annotations?: unknown | null, icons?: unknown | null, execution?: unknown | null, strict?: boolean | null, _meta?: unknown | null, additional?: unknown | null }> };

export type VersionContentOfQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
  number: Scalars['Int']['input'];
}>;


export type VersionContentOfQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, version?: { __typename?: 'AgentVersion', id: string, number: number, message?: string | null, createdAt: string, modelName: string, modelParameters: unknown, systemPrompt: string, extensions: unknown, contentHash: string, bytesHash: string, contentBytes: number, variables: Array<string>, createdBy: { __typename?: 'Actor', kind: ActorKind, displayName: string }, tools: Array<{ __typename?: 'Tool', name: string, title?: string | null, description?: string | null, inputSchema?: unknown | null, outputSchema?: unknown | null, annotations?: unknown | null, icons?: unknown | null, execution?: unknown | null, strict?: boolean | null, _meta?: unknown | null, additional?: unknown | null }> } | null } | null };

export type VersionPlaceQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
}>;


export type VersionPlaceQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, name: string, archivedAt?: string | null, viewerPermissions: Array<Permission>, latestVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null, versions: { __typename?: 'AgentVersionConnection', nodes: Array<{ __typename?: 'AgentVersion', id: string, number: number, message?: string | null }> }, servings: Array<{ __typename?: 'Serving', viewerPermissions: Array<Permission>, environment: { __typename?: 'Environment', id: string, key: string, isDefault: boolean }, activeVersion?: { __typename?: 'AgentVersion', id: string, number: number } | null }> } | null };

export type ConvergencePartsFragment = { __typename?: 'Convergence', isComplete: boolean, gateways: number, applied: number, pending: number, late: number, rejected: number, silent: number };

export type AgentConvergenceQueryVariables = Exact<{
  agent: Scalars['ID']['input'];
}>;


export type AgentConvergenceQuery = { __typename?: 'Query', agent?: { __typename?: 'Agent', id: string, servings: Array<{ __typename?: 'Serving', environment: { __typename?: 'Environment', key: string }, convergence?: { __typename?: 'Convergence', isComplete: boolean, gateways: number, applied: number, pending: number, late: number, rejected: number, silent: number, rejections: Array<{ __typename?: 'ServingRejection', gatewayName?: string | null, code: RejectionCode, message?: string | null }> } | null }> } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const VersionNameFragmentDoc = new TypedDocumentString(`
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
    `, {"fragmentName":"VersionName"}) as unknown as TypedDocumentString<VersionNameFragment, unknown>;
export const PlanPartsFragmentDoc = new TypedDocumentString(`
    fragment PlanParts on ActivationPlan {
  planHash
  revision
  impact
  decision
  mustConfirm
  affectedGateways
  pendingGateways
  environment {
    key
    isDefault
  }
  previousVersion {
    ...VersionName
  }
  version {
    ...VersionName
  }
  findings {
    impact
    path
    toolName
    before
    after
    message
  }
  policy {
    rule
    effect
    message
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}`, {"fragmentName":"PlanParts"}) as unknown as TypedDocumentString<PlanPartsFragment, unknown>;
export const ActivationResultFragmentDoc = new TypedDocumentString(`
    fragment ActivationResult on ActivateVersionPayload {
  revision
  activation {
    id
    activatedAt
    previousVersion {
      ...VersionName
    }
    version {
      ...VersionName
    }
  }
  serving {
    activeVersion {
      ...VersionName
    }
  }
  userErrors {
    code
    message
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}`, {"fragmentName":"ActivationResult"}) as unknown as TypedDocumentString<ActivationResultFragment, unknown>;
export const AgentRowFragmentDoc = new TypedDocumentString(`
    fragment AgentRow on Agent {
  id
  name
  description
  archivedAt
  viewerPermissions
  owner {
    id
    name
    email
  }
  latestVersion {
    id
    number
  }
  latestActivation(environment: $environment) {
    activatedAt
  }
  servings {
    environment {
      id
      key
      isDefault
    }
    activeVersion {
      id
      number
      modelName
    }
    viewerPermissions
  }
}
    `, {"fragmentName":"AgentRow"}) as unknown as TypedDocumentString<AgentRowFragment, unknown>;
export const AuditEntryFragmentDoc = new TypedDocumentString(`
    fragment AuditEntry on Change {
  id
  revision
  position
  cursor
  at
  action
  channel
  network
  requestId
  rowHash
  chainHash
  actor {
    id
    kind
    displayName
  }
  agentId
  agent {
    id
    name
  }
  version {
    number
  }
  environment {
    key
    isDefault
  }
  subjectId
  subject {
    __typename
    ... on Activation {
      reason
      version {
        number
      }
      previousVersion {
        number
      }
    }
    ... on ApiKey {
      name
    }
    ... on Invitation {
      email
      role
    }
    ... on ServiceToken {
      name
    }
    ... on User {
      personName: name
      personEmail: email
    }
  }
  fieldChanges {
    path
    kind
    before
    after
  }
}
    `, {"fragmentName":"AuditEntry"}) as unknown as TypedDocumentString<AuditEntryFragment, unknown>;
export const CustomerRowFragmentDoc = new TypedDocumentString(`
    fragment CustomerRow on Customer {
  id
  name
  externalId
  createdAt
  lastActivityAt
  erasedAt
  plan
  billing {
    status
  }
  usage {
    agents {
      used
      limit
    }
    members {
      used
      limit
    }
    apiKeys {
      used
      limit
    }
  }
}
    `, {"fragmentName":"CustomerRow"}) as unknown as TypedDocumentString<CustomerRowFragment, unknown>;
export const EnvironmentRulesFragmentDoc = new TypedDocumentString(`
    fragment EnvironmentRules on Environment {
  id
  key
  name
  rank
  isDefault
  minSoakSeconds
  onBreaking
  allowedModels
  activateRole
  createdAt
  archivedAt
  promoteFrom {
    id
    key
    isDefault
  }
}
    `, {"fragmentName":"EnvironmentRules"}) as unknown as TypedDocumentString<EnvironmentRulesFragment, unknown>;
export const LatestActivationFragmentDoc = new TypedDocumentString(`
    fragment LatestActivation on Activation {
  id
  activatedAt
  reason
  activatedBy {
    displayName
    kind
  }
  agent {
    id
    name
  }
  environment {
    key
    isDefault
  }
  previousVersion {
    number
  }
  version {
    number
  }
}
    `, {"fragmentName":"LatestActivation"}) as unknown as TypedDocumentString<LatestActivationFragment, unknown>;
export const VersionContentFragmentDoc = new TypedDocumentString(`
    fragment VersionContent on AgentVersion {
  id
  number
  message
  createdAt
  createdBy {
    kind
    displayName
  }
  modelName
  modelParameters
  systemPrompt
  extensions
  contentHash
  bytesHash
  contentBytes
  variables
  tools {
    name
    title
    description
    inputSchema
    outputSchema
    annotations
    icons
    execution
    strict
    _meta
    additional
  }
}
    `, {"fragmentName":"VersionContent"}) as unknown as TypedDocumentString<VersionContentFragment, unknown>;
export const ConvergencePartsFragmentDoc = new TypedDocumentString(`
    fragment ConvergenceParts on Convergence {
  isComplete
  gateways
  applied
  pending
  late
  rejected
  silent
}
    `, {"fragmentName":"ConvergenceParts"}) as unknown as TypedDocumentString<ConvergencePartsFragment, unknown>;
export const MovedDocument = new TypedDocumentString(`
    subscription Moved($customerId: ID, $after: Cursor) {
  customerEvents(customerId: $customerId, after: $after) {
    cursor
    revision
    at
    action
    customerId
    agentId
    environmentKey
    actor {
      displayName
    }
    agent {
      name
    }
    version {
      number
    }
  }
}
    `) as unknown as TypedDocumentString<MovedSubscription, MovedSubscriptionVariables>;
export const FindDocument = new TypedDocumentString(`
    query Find($search: String!, $customer: ID, $isOperator: Boolean!) {
  agents(customerId: $customer, first: 8, filter: {nameContains: $search}) {
    nodes {
      id
      name
      customer {
        id
        name
      }
    }
  }
  customers(first: 5, filter: {nameContains: $search}) @include(if: $isOperator) {
    nodes {
      id
      name
    }
  }
}
    `) as unknown as TypedDocumentString<FindQuery, FindQueryVariables>;
export const FindNodeDocument = new TypedDocumentString(`
    query FindNode($id: ID!) {
  node(id: $id) {
    __typename
    ... on Agent {
      id
      name
      customer {
        id
        name
      }
    }
    ... on AgentVersion {
      number
      agent {
        id
        name
        customer {
          id
        }
      }
    }
    ... on Customer {
      id
      name
    }
  }
}
    `) as unknown as TypedDocumentString<FindNodeQuery, FindNodeQueryVariables>;
export const FrameDocument = new TypedDocumentString(`
    query Frame($customer: ID!, $hasCustomer: Boolean!) {
  revision
  viewer {
    displayName
    isOperator
    kind
    platformPermissions
    user {
      id
      name
      email
    }
    memberships {
      role
      customer {
        id
        name
      }
    }
  }
  customer(id: $customer) @include(if: $hasCustomer) {
    id
    name
    erasedAt
    viewerPermissions
    billing {
      status
    }
    environments {
      id
      key
      name
      rank
      isDefault
      activateRole
      promoteFrom {
        key
      }
    }
  }
}
    `) as unknown as TypedDocumentString<FrameQuery, FrameQueryVariables>;
export const SwitcherDocument = new TypedDocumentString(`
    query Switcher($search: String!) {
  named: customers(first: 20, filter: {nameContains: $search}) {
    nodes {
      id
      name
      externalId
    }
  }
  known: customers(first: 5, filter: {externalId: $search}) {
    nodes {
      id
      name
      externalId
    }
  }
}
    `) as unknown as TypedDocumentString<SwitcherQuery, SwitcherQueryVariables>;
export const RecentCustomersDocument = new TypedDocumentString(`
    query RecentCustomers($ids: [ID!]!) {
  customers(first: 5, filter: {ids: $ids}) {
    nodes {
      id
      name
      externalId
    }
  }
}
    `) as unknown as TypedDocumentString<RecentCustomersQuery, RecentCustomersQueryVariables>;
export const ActivationSubjectDocument = new TypedDocumentString(`
    query ActivationSubject($agent: ID!, $environment: String!) {
  agent(id: $agent) {
    id
    name
    archivedAt
    servings {
      environment {
        id
        key
        name
        isDefault
        activateRole
      }
      activeVersion {
        ...VersionName
      }
      rollbackTarget {
        ...VersionName
      }
      latestActivation {
        activatedAt
        reason
        activatedBy {
          displayName
        }
        version {
          number
        }
      }
      viewerPermissions
    }
    activations(environments: [$environment], first: 50) {
      nodes {
        id
        activatedAt
        version {
          ...VersionName
        }
      }
    }
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}`) as unknown as TypedDocumentString<ActivationSubjectQuery, ActivationSubjectQueryVariables>;
export const ActivationPlanOfDocument = new TypedDocumentString(`
    query ActivationPlanOf($agent: ID!, $environment: String!, $version: ID) {
  activationPlan(agentId: $agent, environment: $environment, versionId: $version) {
    ...PlanParts
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
fragment PlanParts on ActivationPlan {
  planHash
  revision
  impact
  decision
  mustConfirm
  affectedGateways
  pendingGateways
  environment {
    key
    isDefault
  }
  previousVersion {
    ...VersionName
  }
  version {
    ...VersionName
  }
  findings {
    impact
    path
    toolName
    before
    after
    message
  }
  policy {
    rule
    effect
    message
  }
}`) as unknown as TypedDocumentString<ActivationPlanOfQuery, ActivationPlanOfQueryVariables>;
export const ActivateVersionDocument = new TypedDocumentString(`
    mutation ActivateVersion($input: ActivateVersionInput!) {
  answer: activateVersion(input: $input) {
    ...ActivationResult
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
fragment ActivationResult on ActivateVersionPayload {
  revision
  activation {
    id
    activatedAt
    previousVersion {
      ...VersionName
    }
    version {
      ...VersionName
    }
  }
  serving {
    activeVersion {
      ...VersionName
    }
  }
  userErrors {
    code
    message
  }
}`) as unknown as TypedDocumentString<ActivateVersionMutation, ActivateVersionMutationVariables>;
export const PromoteVersionDocument = new TypedDocumentString(`
    mutation PromoteVersion($input: PromoteVersionInput!) {
  answer: promoteVersion(input: $input) {
    ...ActivationResult
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
fragment ActivationResult on ActivateVersionPayload {
  revision
  activation {
    id
    activatedAt
    previousVersion {
      ...VersionName
    }
    version {
      ...VersionName
    }
  }
  serving {
    activeVersion {
      ...VersionName
    }
  }
  userErrors {
    code
    message
  }
}`) as unknown as TypedDocumentString<PromoteVersionMutation, PromoteVersionMutationVariables>;
export const RollBackDocument = new TypedDocumentString(`
    mutation RollBack($input: RollbackInput!) {
  answer: rollback(input: $input) {
    ...ActivationResult
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
fragment ActivationResult on ActivateVersionPayload {
  revision
  activation {
    id
    activatedAt
    previousVersion {
      ...VersionName
    }
    version {
      ...VersionName
    }
  }
  serving {
    activeVersion {
      ...VersionName
    }
  }
  userErrors {
    code
    message
  }
}`) as unknown as TypedDocumentString<RollBackMutation, RollBackMutationVariables>;
export const DeactivateDocument = new TypedDocumentString(`
    mutation Deactivate($input: DeactivateInput!) {
  answer: deactivate(input: $input) {
    ...ActivationResult
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
fragment ActivationResult on ActivateVersionPayload {
  revision
  activation {
    id
    activatedAt
    previousVersion {
      ...VersionName
    }
    version {
      ...VersionName
    }
  }
  serving {
    activeVersion {
      ...VersionName
    }
  }
  userErrors {
    code
    message
  }
}`) as unknown as TypedDocumentString<DeactivateMutation, DeactivateMutationVariables>;
export const AgentDocument = new TypedDocumentString(`
    query Agent($agent: ID!) {
  agent(id: $agent) {
    id
    name
    description
    createdAt
    archivedAt
    viewerPermissions
    owner {
      id
      name
      email
    }
    latestVersion {
      id
      number
    }
    servings {
      environment {
        id
        key
        name
        isDefault
        activateRole
        promoteFrom {
          id
          key
        }
      }
      activatedAt
      activeVersion {
        id
        number
        modelName
        message
      }
      rollbackTarget {
        id
        number
      }
      latestActivation {
        id
        reason
        activatedAt
        activatedBy {
          displayName
        }
        previousVersion {
          id
          number
        }
      }
      viewerPermissions
    }
  }
}
    `) as unknown as TypedDocumentString<AgentQuery, AgentQueryVariables>;
export const AgentVersionsDocument = new TypedDocumentString(`
    query AgentVersions($agent: ID!, $after: String) {
  agent(id: $agent) {
    id
    versions(first: 30, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        number
        message
        modelName
        createdAt
        createdBy {
          displayName
        }
        diff {
          impact
          isSame
          modelNameChanged
          toolsAdded
          toolsRemoved
          toolsChanged
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AgentVersionsQuery, AgentVersionsQueryVariables>;
export const AgentActivityDocument = new TypedDocumentString(`
    query AgentActivity($agent: ID!, $environments: [String!], $after: String) {
  agent(id: $agent) {
    id
    activations(environments: $environments, first: 50, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        activatedAt
        reason
        revision
        activatedBy {
          displayName
        }
        environment {
          id
          key
          isDefault
        }
        previousVersion {
          id
          number
        }
        version {
          id
          number
          message
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AgentActivityQuery, AgentActivityQueryVariables>;
export const AgentsDocument = new TypedDocumentString(`
    query Agents($customer: ID!, $environment: String, $filter: AgentFilter, $order: AgentOrder, $after: String) {
  agents(
    customerId: $customer
    environment: $environment
    filter: $filter
    orderBy: $order
    first: 100
    after: $after
  ) {
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      ...AgentRow
    }
  }
}
    fragment AgentRow on Agent {
  id
  name
  description
  archivedAt
  viewerPermissions
  owner {
    id
    name
    email
  }
  latestVersion {
    id
    number
  }
  latestActivation(environment: $environment) {
    activatedAt
  }
  servings {
    environment {
      id
      key
      isDefault
    }
    activeVersion {
      id
      number
      modelName
    }
    viewerPermissions
  }
}`) as unknown as TypedDocumentString<AgentsQuery, AgentsQueryVariables>;
export const AgentCountDocument = new TypedDocumentString(`
    query AgentCount($customer: ID!, $environment: String, $filter: AgentFilter) {
  agents(
    customerId: $customer
    environment: $environment
    filter: $filter
    first: 1
  ) {
    totalCount
    totalCountIsExact
  }
}
    `) as unknown as TypedDocumentString<AgentCountQuery, AgentCountQueryVariables>;
export const AgentRowsDocument = new TypedDocumentString(`
    query AgentRows($customer: ID!, $environment: String, $ids: [ID!]!) {
  agents(
    customerId: $customer
    environment: $environment
    filter: {ids: $ids}
    first: 100
  ) {
    nodes {
      ...AgentRow
    }
  }
}
    fragment AgentRow on Agent {
  id
  name
  description
  archivedAt
  viewerPermissions
  owner {
    id
    name
    email
  }
  latestVersion {
    id
    number
  }
  latestActivation(environment: $environment) {
    activatedAt
  }
  servings {
    environment {
      id
      key
      isDefault
    }
    activeVersion {
      id
      number
      modelName
    }
    viewerPermissions
  }
}`) as unknown as TypedDocumentString<AgentRowsQuery, AgentRowsQueryVariables>;
export const ModelsOfCustomerDocument = new TypedDocumentString(`
    query ModelsOfCustomer($customer: ID!, $environment: String) {
  modelsInUse(customerId: $customer, environment: $environment, first: 50) {
    name
    agentCount
  }
}
    `) as unknown as TypedDocumentString<ModelsOfCustomerQuery, ModelsOfCustomerQueryVariables>;
export const CreateAgentDocument = new TypedDocumentString(`
    mutation CreateAgent($input: CreateAgentInput!) {
  createAgent(input: $input) {
    agent {
      id
      name
    }
    userErrors {
      code
      message
      field
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateAgentMutation, CreateAgentMutationVariables>;
export const UpdateAgentDocument = new TypedDocumentString(`
    mutation UpdateAgent($input: UpdateAgentInput!) {
  updateAgent(input: $input) {
    agent {
      id
      name
    }
    userErrors {
      code
      message
      field
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateAgentMutation, UpdateAgentMutationVariables>;
export const ArchiveAgentDocument = new TypedDocumentString(`
    mutation ArchiveAgent($input: ArchiveAgentInput!) {
  archiveAgent(input: $input) {
    agent {
      id
      name
    }
    userErrors {
      code
      message
      field
      path
    }
  }
}
    `) as unknown as TypedDocumentString<ArchiveAgentMutation, ArchiveAgentMutationVariables>;
export const RestoreAgentDocument = new TypedDocumentString(`
    mutation RestoreAgent($input: RestoreAgentInput!) {
  restoreAgent(input: $input) {
    agent {
      id
      name
    }
    userErrors {
      code
      message
      field
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreAgentMutation, RestoreAgentMutationVariables>;
export const OwnersDocument = new TypedDocumentString(`
    query Owners($customer: ID!) {
  customer(id: $customer) {
    id
    members(first: 100) {
      nodes {
        id
        role
        user {
          id
          name
          email
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OwnersQuery, OwnersQueryVariables>;
export const AuditDocument = new TypedDocumentString(`
    query Audit($customer: ID!, $filter: ChangeFilter, $after: String) {
  customer(id: $customer) {
    id
    changes(filter: $filter, first: 50, after: $after) {
      nodes {
        ...AuditEntry
      }
      pageInfo {
        startCursor
        hasNextPage
        endCursor
      }
    }
  }
}
    fragment AuditEntry on Change {
  id
  revision
  position
  cursor
  at
  action
  channel
  network
  requestId
  rowHash
  chainHash
  actor {
    id
    kind
    displayName
  }
  agentId
  agent {
    id
    name
  }
  version {
    number
  }
  environment {
    key
    isDefault
  }
  subjectId
  subject {
    __typename
    ... on Activation {
      reason
      version {
        number
      }
      previousVersion {
        number
      }
    }
    ... on ApiKey {
      name
    }
    ... on Invitation {
      email
      role
    }
    ... on ServiceToken {
      name
    }
    ... on User {
      personName: name
      personEmail: email
    }
  }
  fieldChanges {
    path
    kind
    before
    after
  }
}`) as unknown as TypedDocumentString<AuditQuery, AuditQueryVariables>;
export const AuditAroundDocument = new TypedDocumentString(`
    query AuditAround($customer: ID!, $filter: ChangeFilter) {
  auditStatus {
    revision
    chainHash
    verifiedRevision
    verifiedAt
    isIntact
  }
  customer(id: $customer) {
    id
    changes(filter: $filter, first: 1) {
      totalCount
      totalCountIsExact
    }
  }
}
    `) as unknown as TypedDocumentString<AuditAroundQuery, AuditAroundQueryVariables>;
export const NewerChangesDocument = new TypedDocumentString(`
    query NewerChanges($customer: ID!, $filter: ChangeFilter, $before: String!) {
  customer(id: $customer) {
    id
    changes(filter: $filter, last: 100, before: $before) {
      nodes {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<NewerChangesQuery, NewerChangesQueryVariables>;
export const AuditNamesDocument = new TypedDocumentString(`
    query AuditNames($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    id
    ... on User {
      personName: name
      personEmail: email
    }
    ... on AgentVersion {
      number
    }
    ... on Agent {
      name
    }
    ... on Environment {
      key
    }
    ... on ServiceToken {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<AuditNamesQuery, AuditNamesQueryVariables>;
export const AuditAgentsDocument = new TypedDocumentString(`
    query AuditAgents($customer: ID!, $name: String!) {
  customer(id: $customer) {
    id
    agents(filter: {nameContains: $name}, first: 20) {
      nodes {
        id
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<AuditAgentsQuery, AuditAgentsQueryVariables>;
export const AuditRevisionDocument = new TypedDocumentString(`
    subscription AuditRevision($customer: ID!, $after: Cursor!) {
  changes(customerId: $customer, after: $after) {
    ...AuditEntry
  }
}
    fragment AuditEntry on Change {
  id
  revision
  position
  cursor
  at
  action
  channel
  network
  requestId
  rowHash
  chainHash
  actor {
    id
    kind
    displayName
  }
  agentId
  agent {
    id
    name
  }
  version {
    number
  }
  environment {
    key
    isDefault
  }
  subjectId
  subject {
    __typename
    ... on Activation {
      reason
      version {
        number
      }
      previousVersion {
        number
      }
    }
    ... on ApiKey {
      name
    }
    ... on Invitation {
      email
      role
    }
    ... on ServiceToken {
      name
    }
    ... on User {
      personName: name
      personEmail: email
    }
  }
  fieldChanges {
    path
    kind
    before
    after
  }
}`) as unknown as TypedDocumentString<AuditRevisionSubscription, AuditRevisionSubscriptionVariables>;
export const CompareVersionsDocument = new TypedDocumentString(`
    query CompareVersions($agent: ID!) {
  agent(id: $agent) {
    id
    name
    viewerPermissions
    archivedAt
    latestVersion {
      id
      number
    }
    versions(first: 100) {
      nodes {
        id
        number
        message
      }
    }
    servings {
      environment {
        id
        key
        isDefault
      }
      activeVersion {
        id
        number
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CompareVersionsQuery, CompareVersionsQueryVariables>;
export const CompareDocument = new TypedDocumentString(`
    query Compare($agent: ID!, $from: Int!, $to: Int!) {
  agent(id: $agent) {
    id
    diff(from: $from, to: $to) {
      isSame
      impact
      toolsReordered
      modelNameChanged
      from {
        id
        number
        modelName
        message
        createdAt
        createdBy {
          displayName
        }
      }
      to {
        id
        number
        modelName
        message
        createdAt
        createdBy {
          displayName
        }
      }
      findings {
        impact
        path
        toolName
        before
        after
        message
      }
      changes {
        path
        kind
        before
        after
      }
      hunks {
        oldStart
        newStart
        lines {
          kind
          text
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CompareQuery, CompareQueryVariables>;
export const ConnectDocument = new TypedDocumentString(`
    query Connect($customer: ID!) {
  customer(id: $customer) {
    id
    agents(first: 100, filter: {archived: false}) {
      totalCount
      nodes {
        id
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ConnectQuery, ConnectQueryVariables>;
export const MakeGatewayKeyDocument = new TypedDocumentString(`
    mutation MakeGatewayKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey {
      id
      name
    }
    secret
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<MakeGatewayKeyMutation, MakeGatewayKeyMutationVariables>;
export const ReportsDocument = new TypedDocumentString(`
    query Reports($customer: ID!, $environment: String!, $isOperator: Boolean!) {
  customer(id: $customer) {
    id
    environments {
      key
      convergence {
        revision
        gateways
        applied
      }
    }
  }
  agents(
    customerId: $customer
    environment: $environment
    filter: {serving: true, archived: false}
    first: 1
  ) {
    totalCount
  }
  gateways(environment: $environment, first: 100) @include(if: $isOperator) {
    nodes {
      id
      name
      since
      actor {
        id
        displayName
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ReportsQuery, ReportsQueryVariables>;
export const CustomersDocument = new TypedDocumentString(`
    query Customers($filter: CustomerFilter, $orderBy: CustomerOrder, $after: String) {
  customers(filter: $filter, orderBy: $orderBy, first: 50, after: $after) {
    totalCount
    totalCountIsExact
    nodes {
      ...CustomerRow
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment CustomerRow on Customer {
  id
  name
  externalId
  createdAt
  lastActivityAt
  erasedAt
  plan
  billing {
    status
  }
  usage {
    agents {
      used
      limit
    }
    members {
      used
      limit
    }
    apiKeys {
      used
      limit
    }
  }
}`) as unknown as TypedDocumentString<CustomersQuery, CustomersQueryVariables>;
export const PlansDocument = new TypedDocumentString(`
    query Plans {
  plans {
    plan
    agents
    apiKeys
    environments
    members
    requestsPerSecond
    versionsPerAgent
  }
}
    `) as unknown as TypedDocumentString<PlansQuery, PlansQueryVariables>;
export const CreateCustomerDocument = new TypedDocumentString(`
    mutation CreateCustomer($input: CreateCustomerInput!) {
  createCustomer(input: $input) {
    customer {
      id
      name
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateCustomerMutation, CreateCustomerMutationVariables>;
export const UpdateCustomerDocument = new TypedDocumentString(`
    mutation UpdateCustomer($input: UpdateCustomerInput!) {
  updateCustomer(input: $input) {
    customer {
      id
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateCustomerMutation, UpdateCustomerMutationVariables>;
export const SetPlanDocument = new TypedDocumentString(`
    mutation SetPlan($input: SetPlanInput!) {
  setPlan(input: $input) {
    customer {
      id
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SetPlanMutation, SetPlanMutationVariables>;
export const SetBillingStatusDocument = new TypedDocumentString(`
    mutation SetBillingStatus($input: SetBillingStatusInput!) {
  setBillingStatus(input: $input) {
    customer {
      id
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SetBillingStatusMutation, SetBillingStatusMutationVariables>;
export const EraseCustomerDocument = new TypedDocumentString(`
    mutation EraseCustomer($input: EraseCustomerInput!) {
  eraseCustomer(input: $input) {
    customer {
      id
      erasedAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<EraseCustomerMutation, EraseCustomerMutationVariables>;
export const EnvironmentsDocument = new TypedDocumentString(`
    query Environments($customer: ID!) {
  customer(id: $customer) {
    id
    environments(archived: true) {
      ...EnvironmentRules
    }
    usage {
      environments {
        used
        limit
      }
    }
  }
}
    fragment EnvironmentRules on Environment {
  id
  key
  name
  rank
  isDefault
  minSoakSeconds
  onBreaking
  allowedModels
  activateRole
  createdAt
  archivedAt
  promoteFrom {
    id
    key
    isDefault
  }
}`) as unknown as TypedDocumentString<EnvironmentsQuery, EnvironmentsQueryVariables>;
export const EnvironmentServingDocument = new TypedDocumentString(`
    query EnvironmentServing($customer: ID!, $environment: String!) {
  customer(id: $customer) {
    id
    agents(environment: $environment, filter: {serving: true}, first: 1) {
      totalCount
    }
  }
}
    `) as unknown as TypedDocumentString<EnvironmentServingQuery, EnvironmentServingQueryVariables>;
export const CreateEnvironmentDocument = new TypedDocumentString(`
    mutation CreateEnvironment($input: CreateEnvironmentInput!) {
  createEnvironment(input: $input) {
    environment {
      id
      key
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateEnvironmentMutation, CreateEnvironmentMutationVariables>;
export const UpdateEnvironmentDocument = new TypedDocumentString(`
    mutation UpdateEnvironment($input: UpdateEnvironmentInput!) {
  updateEnvironment(input: $input) {
    environment {
      id
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateEnvironmentMutation, UpdateEnvironmentMutationVariables>;
export const ArchiveEnvironmentDocument = new TypedDocumentString(`
    mutation ArchiveEnvironment($input: ArchiveEnvironmentInput!) {
  archiveEnvironment(input: $input) {
    environment {
      id
      archivedAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ArchiveEnvironmentMutation, ArchiveEnvironmentMutationVariables>;
export const RestoreEnvironmentDocument = new TypedDocumentString(`
    mutation RestoreEnvironment($input: RestoreEnvironmentInput!) {
  restoreEnvironment(input: $input) {
    environment {
      id
      archivedAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreEnvironmentMutation, RestoreEnvironmentMutationVariables>;
export const GatewaysDocument = new TypedDocumentString(`
    query Gateways($environment: String, $filter: GatewayFilter, $after: String) {
  gateways(environment: $environment, filter: $filter, first: 50, after: $after) {
    totalCount
    nodes {
      id
      name
      actor {
        displayName
      }
      state
      build
      region
      clientName
      clientVersion
      appliedRevision
      behind
      lastReportAt
      rejections(first: 5) {
        code
        message
        agent {
          name
        }
        version {
          number
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<GatewaysQuery, GatewaysQueryVariables>;
export const GatewayEnvironmentsDocument = new TypedDocumentString(`
    query GatewayEnvironments {
  customers(first: 20) {
    nodes {
      id
      environments {
        key
      }
    }
  }
}
    `) as unknown as TypedDocumentString<GatewayEnvironmentsQuery, GatewayEnvironmentsQueryVariables>;
export const WatchersDocument = new TypedDocumentString(`
    query Watchers($after: String) {
  revision
  watchers(first: 100, after: $after) {
    totalCount
    nodes {
      id
      name
      actor {
        kind
        displayName
      }
      watched
      environmentKey
      customerId
      agents
      network
      revision
      behind
      since
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<WatchersQuery, WatchersQueryVariables>;
export const WatchedCustomersDocument = new TypedDocumentString(`
    query WatchedCustomers($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on Customer {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<WatchedCustomersQuery, WatchedCustomersQueryVariables>;
export const FirstCustomerDocument = new TypedDocumentString(`
    query FirstCustomer {
  customers(first: 1) {
    nodes {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<FirstCustomerQuery, FirstCustomerQueryVariables>;
export const CreateFirstCustomerDocument = new TypedDocumentString(`
    mutation CreateFirstCustomer($input: CreateCustomerInput!) {
  createCustomer(input: $input) {
    customer {
      id
      name
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<CreateFirstCustomerMutation, CreateFirstCustomerMutationVariables>;
export const SampleEnvironmentDocument = new TypedDocumentString(`
    mutation SampleEnvironment($input: CreateEnvironmentInput!) {
  createEnvironment(input: $input) {
    environment {
      id
      key
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<SampleEnvironmentMutation, SampleEnvironmentMutationVariables>;
export const SampleAgentDocument = new TypedDocumentString(`
    mutation SampleAgent($input: CreateAgentInput!) {
  createAgent(input: $input) {
    agent {
      id
      name
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<SampleAgentMutation, SampleAgentMutationVariables>;
export const SampleVersionDocument = new TypedDocumentString(`
    mutation SampleVersion($input: PublishVersionInput!) {
  publishVersion(input: $input) {
    version {
      id
      number
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<SampleVersionMutation, SampleVersionMutationVariables>;
export const SampleActivationDocument = new TypedDocumentString(`
    mutation SampleActivation($input: ActivateVersionInput!) {
  activateVersion(input: $input) {
    activation {
      id
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<SampleActivationMutation, SampleActivationMutationVariables>;
export const SampleRollbackDocument = new TypedDocumentString(`
    mutation SampleRollback($input: RollbackInput!) {
  rollback(input: $input) {
    activation {
      id
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<SampleRollbackMutation, SampleRollbackMutationVariables>;
export const InstanceDocument = new TypedDocumentString(`
    query Instance {
  instance {
    version
    startedAt
    revision
    behind
    watchers
    problems
  }
  auditStatus {
    revision
    verifiedRevision
    verifiedAt
    isIntact
  }
}
    `) as unknown as TypedDocumentString<InstanceQuery, InstanceQueryVariables>;
export const PendingInvitationsDocument = new TypedDocumentString(`
    query PendingInvitations {
  viewer {
    displayName
    user {
      email
    }
    pendingInvitations {
      customerName
      role
      expiresAt
      blockedBy
    }
    memberships {
      role
      customer {
        id
        name
        createdAt
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PendingInvitationsQuery, PendingInvitationsQueryVariables>;
export const KeysDocument = new TypedDocumentString(`
    query Keys($customer: ID!, $after: String) {
  customer(id: $customer) {
    id
    apiKeys(first: 100, after: $after) {
      totalCount
      nodes {
        id
        name
        grantedScopes
        environments
        createdAt
        createdBy {
          displayName
        }
        expiresAt
        lastUsedAt
        replacedById
        revokedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    usage {
      apiKeys {
        used
        limit
      }
    }
  }
}
    `) as unknown as TypedDocumentString<KeysQuery, KeysQueryVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey {
      id
      name
    }
    secret
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const RotateApiKeyDocument = new TypedDocumentString(`
    mutation RotateApiKey($input: RotateApiKeyInput!) {
  rotateApiKey(input: $input) {
    apiKey {
      id
      name
    }
    secret
    previous {
      id
      expiresAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RotateApiKeyMutation, RotateApiKeyMutationVariables>;
export const RevokeApiKeyDocument = new TypedDocumentString(`
    mutation RevokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    apiKey {
      id
      revokedAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const OperatorsDocument = new TypedDocumentString(`
    query Operators($after: String) {
  users(filter: {isOperator: true}, first: 100, after: $after) {
    totalCount
    nodes {
      id
      name
      email
      createdAt
      identities {
        issuer
        subject
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<OperatorsQuery, OperatorsQueryVariables>;
export const FindUsersDocument = new TypedDocumentString(`
    query FindUsers($email: String!) {
  users(filter: {emailContains: $email, isOperator: false}, first: 10) {
    nodes {
      id
      name
      email
    }
  }
}
    `) as unknown as TypedDocumentString<FindUsersQuery, FindUsersQueryVariables>;
export const AddOperatorDocument = new TypedDocumentString(`
    mutation AddOperator($input: AddOperatorInput!) {
  addOperator(input: $input) {
    user {
      id
      name
      email
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<AddOperatorMutation, AddOperatorMutationVariables>;
export const RemoveOperatorDocument = new TypedDocumentString(`
    mutation RemoveOperator($input: RemoveOperatorInput!) {
  removeOperator(input: $input) {
    userId
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RemoveOperatorMutation, RemoveOperatorMutationVariables>;
export const OverviewDocument = new TypedDocumentString(`
    query Overview($customer: ID!, $environments: [String!]!, $since: DateTime!, $timeZone: String!, $isOperator: Boolean!) {
  customer(id: $customer) {
    id
    createdAt
    usage {
      agents {
        used
        limit
      }
      apiKeys {
        used
        limit
      }
      environments {
        used
        limit
      }
      members {
        used
        limit
      }
      versionsPerAgent {
        used
        limit
      }
    }
    plan
    all: agents(first: 3, filter: {archived: false}) {
      totalCount
      nodes {
        id
        latestVersion {
          number
        }
      }
    }
    environments {
      id
      key
      isDefault
      convergence {
        revision
        gateways
        applied
        pending
        late
        rejected
        silent
        rejections(first: 20) {
          code
          message
          gatewayName
          agent {
            id
            name
          }
          version {
            number
          }
        }
      }
    }
    apiKeys(first: 100) {
      totalCount
      nodes {
        id
        name
        expiresAt
        revokedAt
        replacedById
      }
    }
    members(first: 1) {
      totalCount
    }
    invitations(first: 1) {
      totalCount
    }
  }
  activationCounts(
    customerId: $customer
    environments: $environments
    since: $since
    timeZone: $timeZone
  ) {
    day
    reason
    count
  }
  instance @include(if: $isOperator) {
    version
    behind
    problems
  }
}
    `) as unknown as TypedDocumentString<OverviewQuery, OverviewQueryVariables>;
export const ServingCountDocument = new TypedDocumentString(`
    query ServingCount($customer: ID!, $environment: String!) {
  agents(
    customerId: $customer
    environment: $environment
    filter: {serving: true, archived: false}
    first: 1
  ) {
    totalCount
  }
}
    `) as unknown as TypedDocumentString<ServingCountQuery, ServingCountQueryVariables>;
export const LatestActivationsDocument = new TypedDocumentString(`
    query LatestActivations($customer: ID!, $environments: [String!]!) {
  customer(id: $customer) {
    id
    activations(environments: $environments, first: 12) {
      nodes {
        ...LatestActivation
      }
    }
  }
}
    fragment LatestActivation on Activation {
  id
  activatedAt
  reason
  activatedBy {
    displayName
    kind
  }
  agent {
    id
    name
  }
  environment {
    key
    isDefault
  }
  previousVersion {
    number
  }
  version {
    number
  }
}`) as unknown as TypedDocumentString<LatestActivationsQuery, LatestActivationsQueryVariables>;
export const DayOfActivationsDocument = new TypedDocumentString(`
    query DayOfActivations($customer: ID!, $since: DateTime!, $until: DateTime!) {
  changes(
    customerId: $customer
    filter: {actions: [AGENT_ACTIVATED, AGENT_DEACTIVATED], since: $since, until: $until}
    first: 50
  ) {
    totalCount
    nodes {
      id
      at
      action
      actor {
        displayName
      }
      agent {
        id
        name
      }
      version {
        number
      }
      environment {
        key
        isDefault
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DayOfActivationsQuery, DayOfActivationsQueryVariables>;
export const PeopleDocument = new TypedDocumentString(`
    query People($customer: ID!, $after: String) {
  customer(id: $customer) {
    id
    members(first: 100, after: $after) {
      totalCount
      nodes {
        id
        createdAt
        email
        role
        source
        user {
          id
          name
          identities {
            issuer
            subject
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    invitations(first: 100) {
      totalCount
      nodes {
        id
        email
        role
        createdAt
        expiresAt
        acceptUrl
        invitedBy {
          displayName
        }
      }
    }
    usage {
      members {
        used
        limit
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PeopleQuery, PeopleQueryVariables>;
export const InviteMemberDocument = new TypedDocumentString(`
    mutation InviteMember($input: InviteMemberInput!) {
  inviteMember(input: $input) {
    invitation {
      id
      email
      role
      expiresAt
      acceptUrl
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<InviteMemberMutation, InviteMemberMutationVariables>;
export const AddMemberDocument = new TypedDocumentString(`
    mutation AddMember($input: AddMemberInput!) {
  addMember(input: $input) {
    membership {
      id
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<AddMemberMutation, AddMemberMutationVariables>;
export const ChangeMemberRoleDocument = new TypedDocumentString(`
    mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
  changeMemberRole(input: $input) {
    membership {
      id
      role
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<ChangeMemberRoleMutation, ChangeMemberRoleMutationVariables>;
export const RemoveMemberDocument = new TypedDocumentString(`
    mutation RemoveMember($input: RemoveMemberInput!) {
  removeMember(input: $input) {
    userId
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RemoveMemberMutation, RemoveMemberMutationVariables>;
export const RevokeInvitationDocument = new TypedDocumentString(`
    mutation RevokeInvitation($input: RevokeInvitationInput!) {
  revokeInvitation(input: $input) {
    invitationId
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeInvitationMutation, RevokeInvitationMutationVariables>;
export const PublishPlaceDocument = new TypedDocumentString(`
    query PublishPlace($agent: ID!) {
  agent(id: $agent) {
    id
    name
    archivedAt
    viewerPermissions
    latestVersion {
      id
      number
      createdBy {
        displayName
      }
    }
    servings {
      environment {
        id
        key
        isDefault
        activateRole
      }
      activeVersion {
        id
        number
      }
      viewerPermissions
    }
  }
}
    `) as unknown as TypedDocumentString<PublishPlaceQuery, PublishPlaceQueryVariables>;
export const ContentWarningsDocument = new TypedDocumentString(`
    query ContentWarnings($content: VersionContentInput!) {
  versionWarnings(content: $content) {
    rule
    path
    line
    message
  }
}
    `) as unknown as TypedDocumentString<ContentWarningsQuery, ContentWarningsQueryVariables>;
export const ContentPlanDocument = new TypedDocumentString(`
    query ContentPlan($agent: ID!, $environment: String!, $content: VersionContentInput!) {
  activationPlan(agentId: $agent, environment: $environment, content: $content) {
    ...PlanParts
  }
}
    fragment VersionName on AgentVersion {
  id
  number
  modelName
  message
}
fragment PlanParts on ActivationPlan {
  planHash
  revision
  impact
  decision
  mustConfirm
  affectedGateways
  pendingGateways
  environment {
    key
    isDefault
  }
  previousVersion {
    ...VersionName
  }
  version {
    ...VersionName
  }
  findings {
    impact
    path
    toolName
    before
    after
    message
  }
  policy {
    rule
    effect
    message
  }
}`) as unknown as TypedDocumentString<ContentPlanQuery, ContentPlanQueryVariables>;
export const PublishVersionDocument = new TypedDocumentString(`
    mutation PublishVersion($input: PublishVersionInput!) {
  publishVersion(input: $input) {
    isNew
    version {
      id
      number
    }
    warnings {
      rule
      path
      line
      message
    }
    userErrors {
      code
      message
      field
      path
    }
  }
}
    `) as unknown as TypedDocumentString<PublishVersionMutation, PublishVersionMutationVariables>;
export const ServiceTokensDocument = new TypedDocumentString(`
    query ServiceTokens($after: String) {
  serviceTokens(first: 100, after: $after) {
    totalCount
    nodes {
      id
      name
      grantedScopes
      customerIds
      environments
      createdAt
      createdBy {
        displayName
      }
      expiresAt
      lastUsedAt
      replacedById
      revokedAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<ServiceTokensQuery, ServiceTokensQueryVariables>;
export const TokenCustomersDocument = new TypedDocumentString(`
    query TokenCustomers($ids: [ID!]!) {
  nodes(ids: $ids) {
    id
    ... on Customer {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<TokenCustomersQuery, TokenCustomersQueryVariables>;
export const FindCustomersDocument = new TypedDocumentString(`
    query FindCustomers($name: String!) {
  customers(filter: {nameContains: $name}, first: 20) {
    nodes {
      id
      name
    }
  }
}
    `) as unknown as TypedDocumentString<FindCustomersQuery, FindCustomersQueryVariables>;
export const CreateServiceTokenDocument = new TypedDocumentString(`
    mutation CreateServiceToken($input: CreateServiceTokenInput!) {
  createServiceToken(input: $input) {
    serviceToken {
      id
      name
    }
    secret
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CreateServiceTokenMutation, CreateServiceTokenMutationVariables>;
export const RotateServiceTokenDocument = new TypedDocumentString(`
    mutation RotateServiceToken($input: RotateServiceTokenInput!) {
  rotateServiceToken(input: $input) {
    serviceToken {
      id
    }
    secret
    previous {
      id
      expiresAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RotateServiceTokenMutation, RotateServiceTokenMutationVariables>;
export const RevokeServiceTokenDocument = new TypedDocumentString(`
    mutation RevokeServiceToken($input: RevokeServiceTokenInput!) {
  revokeServiceToken(input: $input) {
    serviceToken {
      id
      revokedAt
    }
    userErrors {
      code
      field
      path
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeServiceTokenMutation, RevokeServiceTokenMutationVariables>;
export const SettingsDocument = new TypedDocumentString(`
    query Settings {
  viewer {
    displayName
    name
    kind
    user {
      id
      name
      email
    }
    sessions {
      id
      isCurrent
      createdAt
      lastSeenAt
      expiresAt
      network
      client
    }
  }
}
    `) as unknown as TypedDocumentString<SettingsQuery, SettingsQueryVariables>;
export const RevokeSessionDocument = new TypedDocumentString(`
    mutation RevokeSession($input: RevokeSessionInput!) {
  revokeSession(input: $input) {
    sessionId
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeSessionMutation, RevokeSessionMutationVariables>;
export const RevokeOtherSessionsDocument = new TypedDocumentString(`
    mutation RevokeOtherSessions($input: RevokeOtherSessionsInput!) {
  revokeOtherSessions(input: $input) {
    sessionIds
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeOtherSessionsMutation, RevokeOtherSessionsMutationVariables>;
export const UpdateOwnProfileDocument = new TypedDocumentString(`
    mutation UpdateOwnProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    user {
      id
      name
    }
    revision
    userErrors {
      code
      message
      path
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateOwnProfileMutation, UpdateOwnProfileMutationVariables>;
export const VersionContentOfDocument = new TypedDocumentString(`
    query VersionContentOf($agent: ID!, $number: Int!) {
  agent(id: $agent) {
    id
    version(number: $number) {
      ...VersionContent
    }
  }
}
    fragment VersionContent on AgentVersion {
  id
  number
  message
  createdAt
  createdBy {
    kind
    displayName
  }
  modelName
  modelParameters
  systemPrompt
  extensions
  contentHash
  bytesHash
  contentBytes
  variables
  tools {
    name
    title
    description
    inputSchema
    outputSchema
    annotations
    icons
    execution
    strict
    _meta
    additional
  }
}`) as unknown as TypedDocumentString<VersionContentOfQuery, VersionContentOfQueryVariables>;
export const VersionPlaceDocument = new TypedDocumentString(`
    query VersionPlace($agent: ID!) {
  agent(id: $agent) {
    id
    name
    archivedAt
    viewerPermissions
    latestVersion {
      id
      number
    }
    versions(first: 30) {
      nodes {
        id
        number
        message
      }
    }
    servings {
      environment {
        id
        key
        isDefault
      }
      activeVersion {
        id
        number
      }
      viewerPermissions
    }
  }
}
    `) as unknown as TypedDocumentString<VersionPlaceQuery, VersionPlaceQueryVariables>;
export const AgentConvergenceDocument = new TypedDocumentString(`
    query AgentConvergence($agent: ID!) {
  agent(id: $agent) {
    id
    servings {
      environment {
        key
      }
      convergence {
        ...ConvergenceParts
        rejections(first: 3) {
          gatewayName
          code
          message
        }
      }
    }
  }
}
    fragment ConvergenceParts on Convergence {
  isComplete
  gateways
  applied
  pending
  late
  rejected
  silent
}`) as unknown as TypedDocumentString<AgentConvergenceQuery, AgentConvergenceQueryVariables>;