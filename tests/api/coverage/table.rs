//! The authorization table: one row for each root field and each route, which says what each caller gets. Add a row
//! for each new one. `coverage` asks each row as each caller; `matrix` compares its letters with the rows.

use super::callers::{CALLERS, MEMBERS, OUTSIDE_PEOPLE, OUTSIDERS, THEIR_SERVICE};

/// Lists of callers, by name.
pub(crate) type Groups = &'static [&'static [&'static str]];

/// What the callers get from a root field or a route: lists of their names, one for each outcome. A caller in no
/// list gets FORBIDDEN.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    /// A value.
    pub(crate) value: Groups,
    /// Null, or an empty list.
    pub(crate) none: Groups,
    /// NOT_FOUND.
    pub(crate) not_found: Groups,
    /// INVALID.
    pub(crate) invalid: Groups,
}

impl Access {
    /// The outcomes with their callers.
    fn lists(&self) -> [(&'static str, Groups); 4] {
        let Self { value, none, not_found, invalid } = *self;
        [("ok", value), ("none", none), ("NOT_FOUND", not_found), ("INVALID", invalid)]
    }

    /// What the caller of this name gets: `ok`, `none`, or a code.
    pub(crate) fn outcome(&self, caller: &str) -> &'static str {
        let mut lists = self.lists().into_iter();
        let found = lists.find(|(_, groups)| groups.iter().any(|group| group.contains(&caller)));
        found.map_or("FORBIDDEN", |(outcome, _)| outcome)
    }

    /// The names that no caller has, and those that are listed twice.
    pub(super) fn mistakes(&self) -> Vec<&'static str> {
        let (known, mut seen) = (CALLERS.concat(), Vec::new());
        let mut is_wrong = |name: &&'static str| {
            let is_wrong = !known.contains(name) || seen.contains(name);
            seen.push(*name);
            is_wrong
        };
        let groups = self.lists().into_iter().flat_map(|(_, groups)| groups.concat());
        groups.filter(|name| is_wrong(name)).collect()
    }
}

const NOBODY: Access = Access { value: &[], none: &[], not_found: &[], invalid: &[] };
const ANYBODY: Access = Access { value: CALLERS, ..NOBODY };
const OPERATOR: Access = Access { value: &[&["operator"]], ..NOBODY };
const READ: Access =
    Access { value: &[MEMBERS, &["operator", "key agents:read"]], none: &[OUTSIDERS], ..NOBODY };
/// As READ, but a customer that the caller can't see is an error.
const READ_OR_NOT_FOUND: Access = Access { none: &[], not_found: &[OUTSIDERS], ..READ };
/// As READ, but a single object, which REST answers with 404.
const REST_READ: Access = Access { none: &[], not_found: &[OUTSIDERS], ..READ };
const WRITE: Access = Access {
    value: &[&["editor", "admin", "operator", "key agents:write"]],
    not_found: &[OUTSIDERS],
    ..NOBODY
};
const PUBLISH: Access =
    Access { value: &[&["editor", "admin", "operator", "key versions:publish"]], ..WRITE };
/// Publishing with `activate` needs both scopes, and no key here has two.
const PUBLISH_ACTIVE: Access = Access { value: &[&["editor", "admin", "operator"]], ..WRITE };
const ACTIVATE: Access =
    Access { value: &[&["editor", "admin", "operator", "key versions:activate"]], ..WRITE };
const ADMIN: Access = Access { value: &[&["admin", "operator"]], not_found: &[OUTSIDE_PEOPLE], ..NOBODY };
const AUDIT: Access =
    Access { value: &[&["admin", "operator", "key changes:read"]], not_found: &[OUTSIDERS], ..NOBODY };
const EXPORT: Access =
    Access { value: &[&["admin", "operator", "key agents:read"]], not_found: &[OUTSIDERS], ..NOBODY };
/// Importing needs three scopes, and no key here has more than one.
const IMPORT: Access = Access { value: &[&["admin", "operator"]], not_found: &[OUTSIDERS], ..NOBODY };
const SERVE: Access = Access {
    value: &[MEMBERS, &["operator", "service configs:read", "our service", "key configs:read"]],
    none: &[OUTSIDERS, &[THEIR_SERVICE]],
    ..NOBODY
};
const REST_SERVE: Access = Access { none: &[], not_found: SERVE.none, ..SERVE };

/// The callers that may ask for objects by id, and aren't operators.
const NOT_OPERATOR_READERS: Groups = &[MEMBERS, &["key agents:read"], OUTSIDERS];

/// A caller that reads an audit, of any customer, reads up to which commit the log is verified.
const AUDIT_STATUS: Access =
    Access { value: &[&["admin", "their admin", "operator", "key changes:read", "their key"]], ..NOBODY };
/// A customer's keys and invitations, by id.
const ADMIN_NODE: Access = Access {
    value: &[&["admin", "operator"]],
    none: &[&["viewer", "editor", "key agents:read"], OUTSIDERS],
    ..NOBODY
};

/// Each root field of queries and mutations: its arguments and selection, and the outcomes. CUSTOMER, AGENT,
/// VERSION, TOKEN, KEY and USER are ids; UNIQUE is a new name and EMAIL a new address; LEAVER, SPARE and INVITED
/// are ids of a member, a key and an invitation made for this call only, WORN of a service token, and SIGNED of a session
/// of the operator.
pub(crate) const FIELDS: &[(&str, &str, Access)] = &[
    ("viewer", "{ name }", ANYBODY),
    ("revision", "", ANYBODY),
    ("plans", "{ plan }", ANYBODY),
    ("auditStatus", "{ revision }", AUDIT_STATUS),
    ("instance", "{ version }", OPERATOR),
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
    ("activations", "{ nodes { id } }", READ),
    ("activations", "(customerId: CUSTOMER, reasons: [ACTIVATE]) { nodes { id } }", READ),
    ("agents", "(orderBy: { field: LAST_ACTIVATED_AT, direction: DESC }) { nodes { id } }", READ),
    ("activationCounts", "(customerId: CUSTOMER, since: \"SINCE\") { count }", READ_OR_NOT_FOUND),
    ("modelsInUse", "(customerId: CUSTOMER) { name }", READ_OR_NOT_FOUND),
    ("toolsInUse", "(customerId: CUSTOMER) { name }", READ_OR_NOT_FOUND),
    (
        "changeCounts",
        "(customerId: CUSTOMER, filter: { since: \"SINCE\" }, groupBy: [ACTION]) { count }",
        AUDIT,
    ),
    ("serviceTokens", "{ nodes { id } }", OPERATOR),
    ("users", "(filter: { isOperator: true }) { nodes { id } }", OPERATOR),
    (
        "addOperator",
        "(input: { issuer: \"https://issuer.invalid\", subject: UNIQUE }) { userErrors { code } }",
        OPERATOR,
    ),
    // The user is a member and no operator, so there is nothing to remove.
    ("removeOperator", "(input: { userId: USER }) { userErrors { code } }", OPERATOR),
    ("activeConfig", "(agentId: AGENT) { name }", SERVE),
    ("activationPlan", "(agentId: AGENT, versionId: VERSION) { planHash }", READ),
    (
        "versionWarnings",
        "(content: { modelName: \"m\", systemPrompt: \"\", tools: [{ name: \"a b\" }] }) { rule }",
        Access { value: &[MEMBERS, &["operator", "key versions:publish"], OUTSIDERS], ..NOBODY },
    ),
    (
        "activeConfigResult",
        "(agentId: AGENT) { ... on ActiveConfig { name } }",
        Access {
            value: &[
                MEMBERS,
                &["operator", "service configs:read", "our service", THEIR_SERVICE, "key configs:read"],
                OUTSIDERS,
            ],
            ..NOBODY
        },
    ),
    ("pinnedConfig", "(agentId: AGENT, versionId: VERSION) { versionNumber }", SERVE),
    ("changes", "(customerId: CUSTOMER) { nodes { revision } }", AUDIT),
    ("changes", "(customerId: CUSTOMER, filter: { agentId: AGENT }) { nodes { revision } }", AUDIT),
    // There are no watchers, so the list is empty.
    ("watchers", "{ nodes { id } }", Access { none: &[&["operator"]], ..NOBODY }),
    // None has reported yet.
    ("gateways", "{ nodes { id } }", Access { none: &[&["operator"]], ..NOBODY }),
    ("convergence", "(agentId: AGENT) { revision }", READ),
    (
        "reportServing",
        "(input: { gatewayName: UNIQUE, revision: \"1\" }) { userErrors { code } }",
        Access {
            value: &[
                &["service configs:read", "service activations:watch", "our service", THEIR_SERVICE],
                &["key configs:read", "key activations:watch", "their key"],
            ],
            ..NOBODY
        },
    ),
    (
        "createEnvironment",
        "(input: { customerId: CUSTOMER, key: SLUG, name: UNIQUE }) { userErrors { code } }",
        ADMIN,
    ),
    ("updateEnvironment", "(input: { environmentId: PLACE, name: UNIQUE }) { userErrors { code } }", ADMIN),
    ("archiveEnvironment", "(input: { environmentId: CLOSED }) { userErrors { code } }", ADMIN),
    ("restoreEnvironment", "(input: { environmentId: PLACE }) { userErrors { code } }", ADMIN),
    (
        "promoteVersion",
        "(input: { agentId: AGENT, fromEnvironment: \"production\", toEnvironment: \"spare\", expectedFromVersionId: VERSION, expectedToVersionId: VERSION }) { userErrors { code } }",
        ACTIVATE,
    ),
    ("createCustomer", "(input: { name: UNIQUE }) { userErrors { code } }", OPERATOR),
    ("updateCustomer", "(input: { customerId: CUSTOMER, name: \"City\" }) { userErrors { code } }", ADMIN),
    ("setPlan", "(input: { customerId: CUSTOMER, plan: PRO }) { userErrors { code } }", OPERATOR),
    (
        "setBillingStatus",
        "(input: { customerId: CUSTOMER, status: ACTIVE }) { userErrors { code } }",
        OPERATOR,
    ),
    // The customer isn't canceled.
    (
        "eraseCustomer",
        "(input: { customerId: CUSTOMER }) { userErrors { code } }",
        Access { invalid: &[&["operator"]], ..NOBODY },
    ),
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
    (
        "addMember",
        "(input: { customerId: CUSTOMER, subject: UNIQUE, role: VIEWER }) { userErrors { code } }",
        ADMIN,
    ),
    (
        "linkIdentity",
        "(input: { userId: USER, issuer: \"https://issuer.invalid\", subject: UNIQUE }) { userErrors { code } }",
        OPERATOR,
    ),
    (
        "updateProfile",
        "(input: { name: UNIQUE }) { userErrors { code } }",
        Access {
            value: &[MEMBERS, &["their viewer", "their editor", "their admin", "operator"]],
            not_found: &[&["stranger"]],
            ..NOBODY
        },
    ),
    (
        "revokeSession",
        "(input: { sessionId: SIGNED }) { userErrors { code } }",
        Access { value: &[&["operator"]], not_found: &[MEMBERS, OUTSIDE_PEOPLE], ..NOBODY },
    ),
    (
        "revokeOtherSessions",
        "(input: {}) { userErrors { code } }",
        Access {
            value: &[MEMBERS, &["their viewer", "their editor", "their admin", "operator"]],
            not_found: &[&["stranger"]],
            ..NOBODY
        },
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
    (
        "publishVersion",
        "(input: { agentId: AGENT, systemPrompt: \"\", modelName: \"m\", activate: true }) { userErrors { code } }",
        PUBLISH_ACTIVE,
    ),
    ("activateVersion", "(input: { agentId: AGENT, versionId: VERSION }) { userErrors { code } }", ACTIVATE),
    ("rollback", "(input: { agentId: AGENT, toVersionId: VERSION }) { userErrors { code } }", ACTIVATE),
    ("deactivate", "(input: { agentId: AGENT }) { userErrors { code } }", ACTIVATE),
    (
        "createServiceToken",
        "(input: { name: UNIQUE, scopes: [CONFIGS_READ] }) { userErrors { code } }",
        OPERATOR,
    ),
    ("rotateServiceToken", "(input: { serviceTokenId: WORN }) { userErrors { code } }", OPERATOR),
    ("node", "(id: TOKEN) { id }", Access { value: &[&["operator"]], none: NOT_OPERATOR_READERS, ..NOBODY }),
    ("node", "(id: KEY) { id }", ADMIN_NODE),
    ("node", "(id: INVITED) { id }", ADMIN_NODE),
    ("revokeServiceToken", "(input: { serviceTokenId: TOKEN }) { userErrors { code } }", OPERATOR),
];

/// The subscriptions. Their authorization is tested with the WebSocket and with server-sent events.
pub(super) const STREAMS: &[(&str, &str)] = &[
    ("activations", "{ id }"),
    ("changes", "{ revision }"),
    ("configs", "{ kind }"),
    ("customerEvents", "{ revision }"),
    ("gateways", "{ name }"),
    ("convergence", "(agentId: \"01890000-0000-7000-8000-000000000000\") { applied }"),
];

/// Each route that needs a credential: a method, the path, the body, and the outcomes.
pub(crate) const ROUTES: &[(&str, &str, &str, Access)] = &[
    ("GET", "/v1/agents", "", READ),
    ("POST", "/v1/agents", "{ \"customer_id\": CUSTOMER, \"name\": UNIQUE }", WRITE),
    ("GET", "/v1/agents/{id}", "", REST_READ),
    ("POST", "/v1/agents/{id}/versions", "{ \"system_prompt\": \"\", \"model_name\": \"m\" }", PUBLISH),
    ("POST", "/v1/agents/{id}/plan", "{ \"version_id\": VERSION }", REST_READ),
    ("GET", "/v1/customers/{id}/audit", "", AUDIT),
    ("GET", "/v1/customers/{id}/export", "", EXPORT),
    ("POST", "/v1/customers/{id}/import", "{ \"agent\": UNIQUE, \"versions\": [] }", IMPORT),
    ("GET", "/internal/agents/{id}/active", "", REST_SERVE),
    ("GET", "/internal/agents/{id}/versions/{version_id}", "", REST_SERVE),
    // Authorization inside GraphQL is tested with FIELDS.
    ("POST", "/graphql", "{ \"query\": \"{ __typename }\" }", ANYBODY),
];

/// Each route that needs the session of a browser, in the same form. A session has the rights of its user.
pub(crate) const SESSION_ROUTES: &[(&str, &str, &str, Access)] = &[
    ("GET", "/console/download/customers/{id}/audit", "", AUDIT),
    ("GET", "/console/download/customers/{id}/audit.csv", "", AUDIT),
    ("GET", "/console/download/customers/{id}/export", "", EXPORT),
    ("POST", "/console/upload/customers/{id}", "{ \"agent\": UNIQUE, \"versions\": [] }", IMPORT),
];

/// The routes without authentication, and the reason.
pub(crate) const OPEN: &[(&str, &str)] = &[
    ("/", "the console for browsers, and the way to the explorer for programs"),
    ("/console/{*name}", "part of the console's page"),
    ("/auth/sign-in", "people sign in by it"),
    ("/auth/callback", "people sign in by it"),
    ("/auth/link/{secret}", "its secret is the credential"),
    ("/auth/sign-out", "a browser without a session signs out too"),
    ("/auth/session", "says that there is no session"),
    ("/auth/page.css", "part of the pages of signing in"),
    ("/graphiql", "the same page for everyone; its requests need a credential"),
    ("/graphiql/{file}", "part of that page"),
    ("/openapi.json", "the description of REST is no secret"),
    ("/problems/{name}", "the meaning of problems is no secret"),
    ("/livez", "a probe has no credential"),
    ("/readyz", "a probe has no credential"),
    ("/metrics", "a scraper has no credential; the metrics name nobody"),
];
