//! The queries to a large registry: who sends them, and how many rows each needs.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::fill::{Kind, Size, id};

/// The caller of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueryCaller {
    /// An operator, who reads all customers.
    Operator,
    /// The user with this number.
    User(usize),
}

/// A query with its cost limit.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) who: QueryCaller,
    pub(super) query: String,
    /// The most rows that one of its statements returns or filters by. The limits are computed from it.
    pub(super) rows: u64,
    /// Whether it filters agents.
    pub(super) searches: bool,
}

/// The size of every page.
const PAGE: u64 = 50;
/// The selections of pages of agents and changes.
const AGENTS: &str = "{ nodes { id name activeVersion { number } } pageInfo { hasNextPage } }";
const CHANGES: &str = "{ nodes { action } pageInfo { hasNextPage } }";

const ACTIVATIONS: &str = "{ nodes { reason agent { name } } pageInfo { hasNextPage } }";
/// Reasons of many activations, of few, and of none.
const REASONS: [&str; 4] = ["ACTIVATE", "ARCHIVE", "ROLLBACK", "ACTIVATE, PUBLISH, ARCHIVE, PROMOTE"];

/// A cursor after this row, in the format of the first release, which is a cursor of any list.
fn cursor(kind: Kind, number: usize) -> Value {
    json!(URL_SAFE_NO_PAD.encode(id(kind, number)))
}

/// The pages of a list: the first, the last, and two in the middle.
fn pages(middle: &Value) -> [String; 4] {
    [
        format!("first: {PAGE}"),
        format!("last: {PAGE}"),
        format!("first: {PAGE}, after: {middle}"),
        format!("last: {PAGE}, before: {middle}"),
    ]
}

/// Filters of agents that match few, many and no agents.
const SEARCHES: [&str; 21] = [
    "name: \"Zebra <some>\"",
    "name: \"Nothing\"",
    "nameStartsWith: \"desk\"",
    "nameStartsWith: \"zebra\"",
    "nameStartsWith: \"nothing\"",
    "nameStartsWith: \"desk 00\"",
    "nameContains: \"e\"",
    "nameContains: \"zebra\"",
    "nameContains: \"nothing\"",
    "nameContains: \"00\"",
    "modelName: \"model common\"",
    "modelName: \"model rare\"",
    "modelName: \"model none\"",
    "toolName: \"common\"",
    "toolName: \"rare\"",
    "toolName: \"none\"",
    "archived: true",
    "archived: false",
    "modelName: \"model common\", toolName: \"common\"",
    "nameContains: \"zebra\", modelName: \"model common\"",
    "nameContains: \"zebra\", archived: false",
];

/// Orders of agents, each with a filter or none.
const ORDERS: [&str; 14] = [
    "orderBy: { field: NAME }",
    "orderBy: { field: NAME, direction: DESC }",
    "orderBy: { field: CREATED_AT, direction: DESC }",
    "orderBy: { field: UPDATED_AT }",
    "orderBy: { field: UPDATED_AT, direction: DESC }",
    "orderBy: { field: LAST_ACTIVATED_AT }",
    "orderBy: { field: LAST_ACTIVATED_AT, direction: DESC }",
    "orderBy: { field: MODEL_NAME }",
    "orderBy: { field: MODEL_NAME, direction: DESC }",
    "orderBy: { field: NAME }, filter: { modelNames: [\"model common\"] }",
    "orderBy: { field: MODEL_NAME }, filter: { serving: false }",
    "orderBy: { field: LAST_ACTIVATED_AT }, filter: { serving: true, archived: false }",
    "orderBy: { field: UPDATED_AT }, filter: { servesLatest: true }",
    "orderBy: { field: NAME }, filter: { activatedSince: \"2020-01-01T00:00:00Z\", updatedSince: \"2020-01-01T00:00:00Z\" }",
];

/// Orders and filters of customers.
const CUSTOMERS: [&str; 9] = [
    "orderBy: { field: NAME }",
    "orderBy: { field: NAME, direction: DESC }",
    "orderBy: { field: CREATED_AT, direction: DESC }",
    "orderBy: { field: LAST_ACTIVITY_AT }",
    "orderBy: { field: LAST_ACTIVITY_AT, direction: DESC }",
    "filter: { nameContains: \"ity 77\" }",
    "filter: { plans: [ENTERPRISE] }, orderBy: { field: NAME }",
    "filter: { billingStatuses: [SUSPENDED] }, orderBy: { field: LAST_ACTIVITY_AT }",
    "filter: { externalId: \"none\" }",
];

/// Filters of changes. `<user>` stands for a user, `<since>` for the time of the middle of the log.
const AUDITS: [&str; 11] = [
    "actorKind: SYSTEM",
    "actorKind: OPERATOR",
    "actorKind: API_KEY, actions: [AGENT_UPDATED]",
    "actions: [AGENT_CREATED]",
    "actions: [CUSTOMER_ERASED]",
    "actions: [AGENT_CREATED, CUSTOMER_ERASED, VERSION_PUBLISHED]",
    "actorId: \"<user>\"",
    "actorId: \"<stranger>\"",
    "agentId: \"<agent>\"",
    "since: \"<since>\"",
    "until: \"<since>\"",
];

impl Size {
    /// All queries; `moment` is the time of the middle of the log.
    pub(super) fn questions(self, moment: &str) -> Vec<Question> {
        let mut all = Vec::new();
        let mut ask = |who: QueryCaller, rows: u64, query: String| {
            let lists = ["agents(", "customers(", "users("];
            let searches = lists.iter().any(|list| query.contains(list)) && query.contains("filter");
            all.push(Question { who, query, rows, searches });
        };
        let middle = self.agents / 2;
        let place = json!(URL_SAFE_NO_PAD.encode(format!("{}.1", self.head() / 2)));
        let (operator, large, busy) =
            (QueryCaller::Operator, QueryCaller::User(1), QueryCaller::User(self.busy()));
        let some = |search: &str| search.replace("<some>", &(self.agents - 7).to_string());
        let audit = |search: &str| {
            search
                .replace("<user>", &id(Kind::User, 5))
                .replace("<stranger>", &id(Kind::User, self.busy()))
                .replace("<agent>", &id(Kind::Agent, middle))
                .replace("<since>", moment)
        };
        // Root lists, by callers with all customers, one large, 21, a small old and a small new one.
        for (who, rows) in
            [(operator, 1), (large, 1), (busy, 21), (QueryCaller::User(2), 1), (QueryCaller::User(3), 1)]
        {
            for page in pages(&cursor(Kind::Agent, middle)) {
                ask(who, PAGE * rows, format!("{{ agents({page}) {AGENTS} }}"));
            }
            for page in pages(&place) {
                ask(who, PAGE * rows, format!("{{ changes({page}) {CHANGES} }}"));
            }
            for page in pages(&cursor(Kind::Activation, middle * 3)) {
                ask(who, PAGE * rows, format!("{{ activations({page}) {ACTIVATIONS} }}"));
            }
            for reasons in REASONS {
                let list = format!("activations(first: {PAGE}, reasons: [{reasons}]) {ACTIVATIONS}");
                ask(who, PAGE * rows, format!("{{ {list} }}"));
            }
            // A member of one customer runs the same statements as the lists below that customer, tested next.
            let all = match rows {
                _ if who == operator => usize::MAX,
                21 => 8,
                _ => continue,
            };
            for page in pages(&cursor(Kind::Customer, self.customers / 2)) {
                ask(who, PAGE, format!("{{ customers({page}) {{ nodes {{ name }} }} }}"));
            }
            ask(who, PAGE, "{ customers(filter: { name: \"City 7\" }) { nodes { name } } }".to_owned());
            for search in SEARCHES.map(some).iter().take(all) {
                ask(
                    who,
                    PAGE * rows,
                    format!("{{ agents(first: {PAGE}, filter: {{ {search} }}) {AGENTS} }}"),
                );
            }
            for search in AUDITS.map(audit).iter().take(all) {
                ask(
                    who,
                    PAGE * rows,
                    format!("{{ changes(first: {PAGE}, filter: {{ {search} }}) {CHANGES} }}"),
                );
            }
        }
        for (who, rows) in [(operator, 1), (large, 1), (busy, 21)] {
            for order in ORDERS {
                for page in [format!("first: {PAGE}"), format!("last: {PAGE}")] {
                    ask(who, PAGE * rows, format!("{{ agents({page}, {order}) {AGENTS} }}"));
                }
            }
            for list in CUSTOMERS {
                ask(who, PAGE, format!("{{ customers(first: {PAGE}, {list}) {{ nodes {{ name }} }} }}"));
            }
        }
        for order in ORDERS {
            ask(large, PAGE, below(&format!("agents(first: {PAGE}, {order}) {AGENTS}")));
        }
        for list in [
            "serviceTokens(first: 50) { nodes { id } }",
            "serviceTokens(last: 50) { nodes { id } }",
            "users(first: 50) { nodes { id } }",
            "users(first: 50, filter: { isOperator: true }) { nodes { id } }",
            "users(first: 50, filter: { isOperator: false }) { nodes { id } }",
            "users(first: 50, filter: { emailContains: \"er77\" }) { nodes { id } }",
        ] {
            ask(operator, PAGE, format!("{{ {list} }}"));
        }
        // Below the largest customer.
        for page in pages(&cursor(Kind::Agent, middle)) {
            ask(large, PAGE, below(&format!("agents({page}) {AGENTS}")));
        }
        for page in pages(&place) {
            ask(large, PAGE, below(&format!("changes({page}) {CHANGES}")));
        }
        for page in pages(&cursor(Kind::Activation, middle * 3)) {
            ask(large, PAGE, below(&format!("activations({page}) {ACTIVATIONS}")));
        }
        for reasons in REASONS {
            let list = format!("activations(first: {PAGE}, reasons: [{reasons}]) {ACTIVATIONS}");
            ask(large, PAGE, below(&list));
        }
        for search in SEARCHES.map(some) {
            ask(large, PAGE, below(&format!("agents(first: {PAGE}, filter: {{ {search} }}) {AGENTS}")));
        }
        for search in AUDITS.map(audit) {
            ask(large, PAGE, below(&format!("changes(first: {PAGE}, filter: {{ {search} }}) {CHANGES}")));
        }
        for who in [operator, large] {
            for list in ["members", "invitations", "apiKeys"] {
                for page in [format!("first: {PAGE}"), format!("last: {PAGE}")] {
                    ask(
                        who,
                        PAGE,
                        below(&format!("{list}({page}) {{ pageInfo {{ hasNextPage endCursor }} }}")),
                    );
                }
            }
            ask(who, PAGE, below(&format!("members(first: {PAGE}) {{ nodes {{ user {{ name }} }} }}")));
            ask(who, 110, nested(10));
            let agent = |what: &str| format!("{{ agent(id: \"{}\") {{ {what} }} }}", id(Kind::Agent, middle));
            let targets = "agents(first: 50) { nodes { rollbackTarget { number } } }";
            ask(who, PAGE, below(targets));
            let moments = "agents(first: 50) { nodes { updatedAt latestVersion { number } viewerPermissions servings { viewerPermissions } } }";
            ask(who, PAGE, below(moments));
            ask(
                who,
                PAGE,
                below("environments { convergence { applied pending rejections(first: 5) { code } } }"),
            );
            ask(
                who,
                PAGE,
                below("agents(first: 50) { nodes { servings { convergence { applied pending } } } }"),
            );
            let entries = "changes(first: 50) { nodes { id subject { __typename } fieldChanges { path } } }";
            ask(who, PAGE, below(entries));
            ask(who, PAGE, agent("owner { agents(first: 50) { nodes { name } } }"));
            ask(who, PAGE, agent("owner { agents(last: 50) { nodes { name } } }"));
            ask(
                who,
                PAGE,
                agent("versions(last: 2) { totalCount nodes { number } } activations { totalCount }"),
            );
            ask(
                who,
                PAGE,
                agent("version(number: 2) { systemPrompt tools { name } } changes { totalCount }"),
            );
            let (version, user) = (id(Kind::Version, middle * self.versions), id(Kind::User, 1));
            let agent = id(Kind::Agent, middle);
            ask(
                who,
                3,
                format!(
                    "{{ pinnedConfig(agentId: \"{agent}\", versionId: \"{version}\") {{ systemPrompt }} }}"
                ),
            );
            ask(who, 3, format!("{{ node(id: \"{version}\") {{ id }} nodes(ids: [\"{user}\"]) {{ id }} }}"));
        }
        // The last user has as many sessions as there are agents, nearly all of them expired.
        let sessions = "{ viewer { sessions { id lastSeenAt } } }";
        ask(large, PAGE, sessions.to_owned());
        ask(busy, PAGE, sessions.to_owned());
        // Counting few rows is cheap.
        for little in [2, 3] {
            let count =
                "{ agents { totalCount } changes { totalCount } customers { totalCount } }".to_owned();
            ask(QueryCaller::User(little), 30 * (self.versions as u64 + 4), count);
        }
        all
    }
}

/// A query below the largest customer.
fn below(what: &str) -> String {
    format!("{{ customer(id: \"{}\") {{ {what} }} }}", id(Kind::Customer, 1))
}

/// A query with three levels below it: `count` agents with `count` versions each.
pub(super) fn nested(count: usize) -> String {
    below(&format!(
        "agents(first: {count}) {{ nodes {{ name owner {{ id }} activeVersion {{ number systemPrompt }}
        versions(first: {count}) {{ nodes {{ number systemPrompt createdBy {{ user {{ id }} }} }} }}
        activations(first: {count}) {{ nodes {{ reason version {{ number }} }} }}
        changes(first: {count}) {{ nodes {{ action }} }} }} }}"
    ))
}
