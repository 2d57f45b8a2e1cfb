//! The authorization table: one row for each root field and each route. Add a row for each new one.

/// The callers, in the order of the tables' letters. All rows act on the customer of the viewer, the editor and the
/// admin. `other` is tested in all three roles at another customer; `configs` and `watch` are service tokens with
/// that one scope; a name with `key` is an API key of the customer with that one scope; `otherkey` is another
/// customer's key with all scopes.
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

/// The meaning of the letters: y is a result, - is null or an empty list, and the others are codes. A caller
/// without a valid credential gets 401 everywhere, so it has no column.
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

/// Each root field of queries and mutations: its arguments and selection, and the outcomes. CUSTOMER, AGENT,
/// VERSION, TOKEN, KEY and USER are ids; UNIQUE is a new name and EMAIL a new address; LEAVER, SPARE and INVITED
/// are ids of a member, a key and an invitation made for this call only.
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
    // There are no watchers, so the list is empty.
    ("watchers", "{ nodes { id } }", "FFFFF -FF FFFFFFFF"),
    ("createCustomer", "(input: { name: UNIQUE }) { userErrors { code } }", OPERATOR),
    ("updateCustomer", "(input: { customerId: CUSTOMER, name: \"City\" }) { userErrors { code } }", ADMIN),
    ("setPlan", "(input: { customerId: CUSTOMER, plan: PRO }) { userErrors { code } }", OPERATOR),
    (
        "setBillingStatus",
        "(input: { customerId: CUSTOMER, status: ACTIVE }) { userErrors { code } }",
        OPERATOR,
    ),
    // The customer isn't canceled.
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
    // Publishing with `activate` needs both scopes, and no key here has two.
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

/// The subscriptions. Their authorization is tested with the WebSocket and with server-sent events.
pub(super) const STREAMS: &[(&str, &str)] =
    &[("activations", "{ id }"), ("changes", "{ revision }"), ("configs", "{ kind }")];

const REST_READ: &str = "NyyyN yFF yFFFFFFN";

/// Each route that needs a credential: a method, the path, the body, and the outcomes.
pub(crate) const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("GET", "/v1/agents", "", READ),
    ("POST", "/v1/agents", "{ \"customer_id\": CUSTOMER, \"name\": UNIQUE }", WRITE),
    ("GET", "/v1/agents/{id}", "", REST_READ),
    ("POST", "/v1/agents/{id}/versions", "{ \"system_prompt\": \"\", \"model_name\": \"m\" }", PUBLISH),
    ("GET", "/v1/customers/{id}/audit", "", AUDIT),
    ("GET", "/internal/agents/{id}/active", "", "NyyyN yyF FFFFyFFN"),
    // Authorization inside GraphQL is tested with FIELDS.
    ("POST", "/graphql", "{ \"query\": \"{ __typename }\" }", ANYBODY),
];

/// The routes without authentication, and the reason.
pub(crate) const OPEN: &[(&str, &str)] = &[
    ("/", "redirects to the explorer"),
    ("/graphiql", "the same page for everyone; its requests need a credential"),
    ("/graphiql/{file}", "part of that page"),
    ("/openapi.json", "the description of REST is no secret"),
    ("/problems/{name}", "the meaning of problems is no secret"),
    ("/livez", "a probe has no credential"),
    ("/readyz", "a probe has no credential"),
    ("/metrics", "a scraper has no credential; the metrics name nobody"),
];
