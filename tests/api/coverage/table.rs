//! Who gets what: one row for each root field and each route. A new one is decided on here.

/// What each kind of caller gets, in the order of the tables' words. `none` is null or an empty list: nothing that
/// it may see. Who has no valid credential gets 401 and stands in no column.
///
/// Each row asks about the customer of the viewer, the editor and the admin. `other` are all three roles at another
/// customer; `configs` and `watch` are service tokens with that one scope.
pub(super) const CALLERS: &str = "stranger viewer editor admin other configs watch operator";

const READ: &str = "none ok ok ok none FORBIDDEN FORBIDDEN ok";
const WRITE: &str = "NOT_FOUND FORBIDDEN ok ok NOT_FOUND FORBIDDEN FORBIDDEN ok";
const ADMIN: &str = "NOT_FOUND FORBIDDEN FORBIDDEN ok NOT_FOUND FORBIDDEN FORBIDDEN ok";
const OPERATOR: &str = "FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN ok";
const ANYBODY: &str = "ok ok ok ok ok ok ok ok";

/// Each root field of queries and mutations: its arguments and selection, and what comes of it. CUSTOMER, AGENT, VERSION
/// and TOKEN are ids; UNIQUE is a new name.
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
    ("activeConfig", "(agentId: AGENT) { name }", "none ok ok ok none ok FORBIDDEN ok"),
    ("createCustomer", "(input: { name: UNIQUE }) { userErrors { code } }", OPERATOR),
    ("updateCustomer", "(input: { customerId: CUSTOMER, name: \"City\" }) { userErrors { code } }", ADMIN),
    ("setPlan", "(input: { customerId: CUSTOMER, plan: PRO }) { userErrors { code } }", OPERATOR),
    (
        "setBillingStatus",
        "(input: { customerId: CUSTOMER, status: ACTIVE }) { userErrors { code } }",
        OPERATOR,
    ),
    ("createAgent", "(input: { customerId: CUSTOMER, name: UNIQUE }) { userErrors { code } }", WRITE),
    ("updateAgent", "(input: { agentId: AGENT, name: UNIQUE }) { userErrors { code } }", WRITE),
    ("archiveAgent", "(input: { agentId: AGENT }) { userErrors { code } }", WRITE),
    ("restoreAgent", "(input: { agentId: AGENT }) { userErrors { code } }", WRITE),
    (
        "publishVersion",
        "(input: { agentId: AGENT, systemPrompt: \"\", modelName: \"m\" }) { userErrors { code } }",
        WRITE,
    ),
    ("activateVersion", "(input: { agentId: AGENT, versionId: VERSION }) { userErrors { code } }", WRITE),
    ("rollback", "(input: { agentId: AGENT }) { userErrors { code } }", WRITE),
    ("deactivate", "(input: { agentId: AGENT }) { userErrors { code } }", WRITE),
    (
        "createServiceToken",
        "(input: { name: UNIQUE, scopes: [CONFIGS_READ] }) { userErrors { code } }",
        OPERATOR,
    ),
    ("revokeServiceToken", "(input: { serviceTokenId: TOKEN }) { userErrors { code } }", OPERATOR),
];

/// The subscriptions: who may watch is decided on the socket, and tested there.
pub(super) const STREAMS: &[(&str, &str)] = &[("activations", "{ id }")];

const REST_READ: &str = "NOT_FOUND ok ok ok NOT_FOUND FORBIDDEN FORBIDDEN ok";

/// Each route that needs a credential, a method of it, its body, and what comes of it.
pub(super) const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("GET", "/v1/agents", "", READ),
    ("POST", "/v1/agents", "{ \"customer_id\": CUSTOMER, \"name\": UNIQUE }", WRITE),
    ("GET", "/v1/agents/{id}", "", REST_READ),
    ("POST", "/v1/agents/{id}/versions", "{ \"system_prompt\": \"\", \"model_name\": \"m\" }", WRITE),
    ("GET", "/internal/agents/{id}/active", "", "NOT_FOUND ok ok ok NOT_FOUND ok FORBIDDEN ok"),
    // Who may do what there is the matter of FIELDS.
    ("POST", "/graphql", "{ \"query\": \"{ __typename }\" }", ANYBODY),
];

/// The routes that ask nobody who it is, and why.
pub(super) const OPEN: &[(&str, &str)] = &[
    ("/", "it leads to the explorer"),
    ("/graphiql", "the same page for everyone; the schema behind it asks"),
    ("/graphiql/{file}", "as the page"),
    ("/livez", "a probe has no credential"),
    ("/readyz", "a probe has no credential"),
    ("/metrics", "a scraper has none; what it counts names nobody"),
];
