//! Who gets what: one row for each root field and each route. A new one is decided on here.

/// The callers, in the order of the tables' letters. All rows ask about the customer of the viewer, the editor and the
/// admin. `other` are all three roles at another customer; `configs` and `watch` are service tokens with that one scope;
/// what begins with `key` is an API key of the customer with that one scope, and `otherkey` another's with all.
pub(super) const CALLERS: [&str; 16] = [
    "stranger",
    "viewer",
    "editor",
    "admin",
    "other",
    "operator",
    "configs",
    "watch",
    "key agents:read",
    "key agents:write",
    "key versions:publish",
    "key versions:activate",
    "key configs:read",
    "key activations:watch",
    "key changes:read",
    "otherkey",
];

/// What a letter stands for: y is an answer, - is null or an empty list, and the rest are codes. Who has no valid
/// credential gets 401 and stands in no column.
pub(super) const LETTERS: &[(char, &str)] =
    &[('y', "ok"), ('-', "none"), ('F', "FORBIDDEN"), ('N', "NOT_FOUND"), ('I', "INVALID")];

const READ: &str = "-yyy- yFF yFFFFFF-";
const WRITE: &str = "NFyyN yFF FyFFFFFN";
const PUBLISH: &str = "NFyyN yFF FFyFFFFN";
const ACTIVATE: &str = "NFyyN yFF FFFyFFFN";
const ADMIN: &str = "NFFyN yFF FFFFFFFF";
const AUDIT: &str = "NFFyN yFF FFFFFFyN";
const OPERATOR: &str = "FFFFF yFF FFFFFFFF";
const ANYBODY: &str = "yyyyy yyy yyyyyyyy";

/// Each root field of queries and mutations: its arguments and selection, and what comes of it. CUSTOMER, AGENT, VERSION,
/// TOKEN, KEY and USER are ids; UNIQUE is a new name and EMAIL a new address; LEAVER, SPARE and INVITED are the ids of a
/// member, a key and an invitation that are there for this call alone.
pub(super) const FIELDS: &[(&str, &str, &str)] = &[
    ("viewer", "{ name }", ANYBODY),
    ("node", "(id: AGENT) { id }", READ),
    ("node", "(id: VERSION) { id }", READ),
    ("node", "(id: CUSTOMER) { id }", READ),
    ("nodes", "(ids: [AGENT, VERSION]) { id }", READ),
    ("customer", "(id: CUSTOMER) { id }", READ),
    ("customers", "(filter: { name: \"City\" }) { nodes { id } }", READ),
    ("agent", "(id: AGENT) { id }", READ),
    ("agents", "{ nodes { id } }", READ),
    ("agents", "(customerId: CUSTOMER) { nodes { id } }", READ),
    ("agents", "(filter: { nameContains: \"or age\", modelName: \"gpt-4-turbo\" }) { nodes { id } }", READ),
    ("activeConfig", "(agentId: AGENT) { name }", "-yyy- yyF FFFFyFF-"),
    ("changes", "(customerId: CUSTOMER) { nodes { revision } }", AUDIT),
    ("changes", "(customerId: CUSTOMER, filter: { agentId: AGENT }) { nodes { revision } }", AUDIT),
    // Nobody watches.
    ("watchers", "{ nodes { id } }", "FFFFF -FF FFFFFFFF"),
    ("createCustomer", "(input: { name: UNIQUE }) { userErrors { code } }", OPERATOR),
    ("updateCustomer", "(input: { customerId: CUSTOMER, name: \"City\" }) { userErrors { code } }", ADMIN),
    ("setPlan", "(input: { customerId: CUSTOMER, plan: PRO }) { userErrors { code } }", OPERATOR),
    (
        "setBillingStatus",
        "(input: { customerId: CUSTOMER, status: ACTIVE }) { userErrors { code } }",
        OPERATOR,
    ),
    // It is not canceled.
    ("eraseCustomer", "(input: { customerId: CUSTOMER }) { userErrors { code } }", "FFFFF IFF FFFFFFFF"),
    (
        "inviteMember",
        "(input: { customerId: CUSTOMER, email: EMAIL, role: VIEWER }) { userErrors { code } }",
        ADMIN,
    ),
    ("revokeInvitation", "(input: { invitationId: INVITED }) { userErrors { code } }", ADMIN),
    (
        "changeMemberRole",
        "(input: { customerId: CUSTOMER, userId: USER, role: VIEWER }) { userErrors { code } }",
        ADMIN,
    ),
    ("removeMember", "(input: { customerId: CUSTOMER, userId: LEAVER }) { userErrors { code } }", ADMIN),
    (
        "createApiKey",
        "(input: { customerId: CUSTOMER, name: UNIQUE, scopes: [CONFIGS_READ] }) { userErrors { code } }",
        ADMIN,
    ),
    ("rotateApiKey", "(input: { apiKeyId: SPARE }) { userErrors { code } }", ADMIN),
    ("revokeApiKey", "(input: { apiKeyId: KEY }) { userErrors { code } }", ADMIN),
    ("createAgent", "(input: { customerId: CUSTOMER, name: UNIQUE }) { userErrors { code } }", WRITE),
    ("updateAgent", "(input: { agentId: AGENT, name: UNIQUE }) { userErrors { code } }", WRITE),
    ("archiveAgent", "(input: { agentId: AGENT }) { userErrors { code } }", WRITE),
    ("restoreAgent", "(input: { agentId: AGENT }) { userErrors { code } }", WRITE),
    (
        "publishVersion",
        "(input: { agentId: AGENT, systemPrompt: \"\", modelName: \"m\" }) { userErrors { code } }",
        PUBLISH,
    ),
    // Who publishes and activates in one must be allowed both: no key with one scope is.
    (
        "publishVersion",
        "(input: { agentId: AGENT, systemPrompt: \"\", modelName: \"m\", activate: true }) { userErrors { code } }",
        "NFyyN yFF FFFFFFFN",
    ),
    ("activateVersion", "(input: { agentId: AGENT, versionId: VERSION }) { userErrors { code } }", ACTIVATE),
    ("rollback", "(input: { agentId: AGENT }) { userErrors { code } }", ACTIVATE),
    ("deactivate", "(input: { agentId: AGENT }) { userErrors { code } }", ACTIVATE),
    (
        "createServiceToken",
        "(input: { name: UNIQUE, scopes: [CONFIGS_READ] }) { userErrors { code } }",
        OPERATOR,
    ),
    ("revokeServiceToken", "(input: { serviceTokenId: TOKEN }) { userErrors { code } }", OPERATOR),
];

/// The subscriptions: who may watch is tested with the socket, and with server-sent events.
pub(super) const STREAMS: &[(&str, &str)] =
    &[("activations", "{ id }"), ("changes", "{ revision }"), ("configs", "{ kind }")];

const REST_READ: &str = "NyyyN yFF yFFFFFFN";

/// Each route that needs a credential, a method of it, its body, and what comes of it.
pub(crate) const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("GET", "/v1/agents", "", READ),
    ("POST", "/v1/agents", "{ \"customer_id\": CUSTOMER, \"name\": UNIQUE }", WRITE),
    ("GET", "/v1/agents/{id}", "", REST_READ),
    ("POST", "/v1/agents/{id}/versions", "{ \"system_prompt\": \"\", \"model_name\": \"m\" }", PUBLISH),
    ("GET", "/v1/customers/{id}/audit", "", AUDIT),
    ("GET", "/internal/agents/{id}/active", "", "NyyyN yyF FFFFyFFN"),
    // Who may do what there is the matter of FIELDS.
    ("POST", "/graphql", "{ \"query\": \"{ __typename }\" }", ANYBODY),
];

/// The routes that ask nobody who it is, and why.
pub(crate) const OPEN: &[(&str, &str)] = &[
    ("/", "it leads to the explorer"),
    ("/graphiql", "the same page for everyone; the schema behind it asks"),
    ("/graphiql/{file}", "as the page"),
    ("/openapi.json", "what REST can do is no secret"),
    ("/problems/{name}", "what a problem means is no secret"),
    ("/livez", "a probe has no credential"),
    ("/readyz", "a probe has no credential"),
    ("/metrics", "a scraper has none; what it counts names nobody"),
];
