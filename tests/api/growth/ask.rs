//! What is asked of a registry that has grown, by whom, and how many rows that is about.

use serde_json::{Value, json};

use super::fill::{Kind, Size, id};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// An operator: of everybody.
    Operator,
    /// The user of this number.
    User(usize),
}

/// One question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) who: Who,
    pub(super) query: String,
    /// The most rows that one of its statements answers or goes by, and so what it may cost.
    pub(super) rows: u64,
    /// Whether agents are searched for.
    pub(super) searches: bool,
}

/// The number of rows of all these pages.
const PAGE: u64 = 50;
/// What pages of versions and agents show.
const AGENTS: &str = "{ nodes { id name activeVersion { number } } pageInfo { hasNextPage } }";
const CHANGES: &str = "{ nodes { action } pageInfo { hasNextPage } }";

/// A cursor after this row, as the service writes it.
fn cursor(kind: Kind, number: usize) -> Value {
    json!(agent_registry::domain::page::cursor(id(kind, number)))
}

/// The pages of a list: the first, the last, and those in its middle.
fn pages(middle: &Value) -> [String; 4] {
    [
        format!("first: {PAGE}"),
        format!("last: {PAGE}"),
        format!("first: {PAGE}, after: {middle}"),
        format!("last: {PAGE}, before: {middle}"),
    ]
}

/// What lists of agents are searched for: what few, many and none are.
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

/// What the audit is searched for. These stand for the user and the moment in the middle.
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
    /// All of them; `moment` is one in the middle of the log.
    pub(super) fn questions(self, moment: &str) -> Vec<Question> {
        let mut all = Vec::new();
        let mut ask = |who: Who, rows: u64, query: String| {
            let searches = query.contains("agents(") && query.contains("filter");
            all.push(Question { who, query, rows, searches });
        };
        let middle = self.agents / 2;
        let place = json!(agent_registry::domain::page::cursor(format!("{}.1", self.head() / 2)));
        let (operator, large, busy) = (Who::Operator, Who::User(1), Who::User(self.busy()));
        let some = |search: &str| search.replace("<some>", &(self.agents - 7).to_string());
        let audit = |search: &str| {
            search
                .replace("<user>", &id(Kind::User, 5))
                .replace("<stranger>", &id(Kind::User, self.busy()))
                .replace("<agent>", &id(Kind::Agent, middle))
                .replace("<since>", moment)
        };
        // Lists of their own, by who sees all, much, several, little that is old and little that is new.
        for (who, rows) in [(operator, 1), (large, 1), (busy, 21), (Who::User(2), 1), (Who::User(3), 1)] {
            for page in pages(&cursor(Kind::Agent, middle)) {
                ask(who, PAGE * rows, format!("{{ agents({page}) {AGENTS} }}"));
            }
            for page in pages(&place) {
                ask(who, PAGE * rows, format!("{{ changes({page}) {CHANGES} }}"));
            }
            // Whoever has one customer has its lists in the same way, which are asked for below it.
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
        // Below one customer, the largest.
        for page in pages(&cursor(Kind::Agent, middle)) {
            ask(large, PAGE, below(&format!("agents({page}) {AGENTS}")));
        }
        for page in pages(&place) {
            ask(large, PAGE, below(&format!("changes({page}) {CHANGES}")));
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
            ask(who, 3, format!("{{ node(id: \"{version}\") {{ id }} nodes(ids: [\"{user}\"]) {{ id }} }}"));
        }
        // What little is counted costs little.
        for little in [2, 3] {
            let count =
                "{ agents { totalCount } changes { totalCount } customers { totalCount } }".to_owned();
            ask(Who::User(little), 30 * (self.versions as u64 + 4), count);
        }
        all
    }
}

/// Something of the largest customer.
fn below(what: &str) -> String {
    format!("{{ customer(id: \"{}\") {{ {what} }} }}", id(Kind::Customer, 1))
}

/// Three levels below it: so many agents, and as many versions of each.
pub(super) fn nested(count: usize) -> String {
    below(&format!(
        "agents(first: {count}) {{ nodes {{ name owner {{ id }} activeVersion {{ number systemPrompt }}
        versions(first: {count}) {{ nodes {{ number systemPrompt createdBy {{ user {{ id }} }} }} }}
        activations(first: {count}) {{ nodes {{ reason version {{ number }} }} }}
        changes(first: {count}) {{ nodes {{ action }} }} }} }}"
    ))
}
