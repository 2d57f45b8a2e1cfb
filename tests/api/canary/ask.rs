//! Every request that a caller can make with knowledge of another customer: each root field and each route, with
//! each argument, filter and page, and with each id.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    arguments::{argument_lists, bad_pages, filters, pages},
    known_values::{KnownValues, cursor, plain},
    schema::{Barred, Schema, base, literal},
};
use crate::coverage::table::{OPEN, ROUTES};

/// A request.
#[derive(Clone, Debug)]
pub(super) struct ProbeRequest {
    /// The root field or the route.
    pub(super) what: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
    /// A write, which must change nothing of the other customer.
    pub(super) is_write: bool,
}

impl ProbeRequest {
    pub(super) fn graphql(what: &str, query: &str, variables: Value) -> Self {
        Self {
            what: what.to_owned(),
            method: Method::POST,
            path: "/graphql".to_owned(),
            headers: Vec::new(),
            body: Some(json!({ "query": query, "variables": variables }).to_string()),
            is_write: query.starts_with("mutation"),
        }
    }

    fn rest(method: &str, route: &str, path: String) -> Self {
        let method: Method = method.parse().unwrap();
        let is_write = method != Method::GET;
        Self { what: route.to_owned(), method, path, headers: Vec::new(), body: None, is_write }
    }

    fn with(self, name: &'static str, value: &str) -> Self {
        Self { headers: vec![(name, value.to_owned())], ..self }
    }

    fn body(self, body: &Value) -> Self {
        Self { body: Some(body.to_string()), ..self }
    }

    /// The texts among `texts` that the request contains.
    pub(super) fn said(&self, texts: &[String]) -> Vec<String> {
        let headers: String = self.headers.iter().map(|(_, value)| value.as_str()).collect();
        let all = format!("{} {headers} {}", self.path, self.body.as_deref().unwrap_or_default());
        // A text in quotes has backslashes before its quotes in the body.
        texts.iter().filter(|text| all.contains(text.as_str())).cloned().collect()
    }
}

/// Every query: once with all fields selected, and once for each argument list with only the fields that every
/// caller may read. A rejected field could hide that the rest is returned.
pub(super) fn queries(
    schema: &Schema,
    guess: &KnownValues,
    own: &KnownValues,
    barred: &Barred,
    lean: &Barred,
) -> Vec<ProbeRequest> {
    let mut asks = Vec::new();
    for field in schema.fields("Query") {
        let (name, kind) = (field.name.node.as_str(), base(&field.ty.node));
        let lists = argument_lists(schema, field, guess);
        let written = |list: &String| {
            let list = list.trim_start_matches(", ");
            if list.is_empty() { String::new() } else { format!("({list})") }
        };
        for selection in schema.deepest(kind, barred) {
            let deep = format!("{{ {name}{} {selection} }}", written(&lists[0]));
            asks.push(ProbeRequest::graphql(name, &deep, Value::Null));
        }
        let (bares, fuller) = (schema.selections(kind, 0, lean), schema.selections(kind, 1, barred));
        let some = lists.chunks(8).flat_map(|some| bares.iter().map(move |bare| (some, bare)));
        let firsts = lists.chunks(8).take(usize::from(!kind.ends_with("Connection")));
        let firsts = firsts.flat_map(|some| fuller.iter().map(move |fuller| (some, fuller)));
        for (some, selection) in some.chain(firsts) {
            let fields = some.iter().enumerate();
            let fields = fields.map(|(at, list)| format!("a{at}: {name}{} {selection}", written(list)));
            let query = format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "));
            asks.push(ProbeRequest::graphql(name, &query, Value::Null));
        }
        if kind.ends_with("Connection") {
            for page in bad_pages(guess) {
                for bare in &bares {
                    let query = format!("{{ {name}({page}) {bare} }}");
                    asks.push(ProbeRequest::graphql(name, &query, Value::Null));
                }
            }
        }
    }
    asks.extend(below(schema, guess, own, barred, lean));
    // These don't depend on a customer.
    asks.push(ProbeRequest::graphql("__schema", "{ __schema { types { name description } } }", Value::Null));
    let wrong = format!("{{ agent(id: {:?}) {{ nonsense }} }}", guess.agents[0]);
    asks.push(ProbeRequest::graphql("agent", &wrong, Value::Null));
    asks.push(ProbeRequest::graphql("agent", &wrong[..wrong.len() - 3], Value::Null));
    asks
}

/// Every list below the caller's objects and below the other customer's, paged with the other customer's cursors.
fn below(
    schema: &Schema,
    guess: &KnownValues,
    own: &KnownValues,
    barred: &Barred,
    lean: &Barred,
) -> Vec<ProbeRequest> {
    let mut asks = Vec::new();
    for (of, mine, theirs) in [
        ("Customer", &own.customer, &guess.customer),
        ("Agent", &own.agents[0], &guess.agents[0]),
        ("User", &own.users[0], &guess.users[0]),
    ] {
        for field in schema.fields(of) {
            let (name, kind) = (field.name.node.as_str(), base(&field.ty.node));
            if !kind.ends_with("Connection") || barred.contains(&(of.to_owned(), name.to_owned())) {
                continue;
            }
            let numbers = ["1", "2"].map(str::to_owned).to_vec();
            let ids = match kind {
                "AgentConnection" => &guess.agents,
                "AgentVersionConnection" => &numbers,
                "ActivationConnection" => &guess.activations,
                "MembershipConnection" => &guess.users,
                "ApiKeyConnection" => &guess.keys,
                "InvitationConnection" => &guess.invitations,
                "ChangeConnection" => &guess.entries(),
                other => panic!("decide which cursors {other} is paged with"),
            };
            let mut lists = pages(ids);
            for argument in field.arguments.iter().filter(|argument| argument.node.name.node == "filter") {
                let filters = filters(guess, base(&argument.node.ty.node));
                lists.extend(
                    filters
                        .iter()
                        .map(|(name, value)| format!("filter: {}", literal(&json!({ *name: value })))),
                );
            }
            let bare = schema.selection(kind, 0, lean);
            for some in lists.chunks(4) {
                let fields = some.iter().enumerate();
                let fields: Vec<_> =
                    fields.map(|(at, list)| format!("a{at}: {name}({list}) {bare}")).collect();
                let query = format!(
                    "{{ nodes(ids: {}) {{ ... on {of} {{ {} }} }} }}",
                    json!([mine, theirs]),
                    fields.join(" ")
                );
                asks.push(ProbeRequest::graphql(&format!("{of}.{name}"), &query, Value::Null));
            }
        }
    }
    asks
}

/// Every mutation: with all ids from the other customer, with one of them, and with all but one; with and without
/// optional fields.
pub(super) fn mutations(
    schema: &Schema,
    guess: &KnownValues,
    own: &KnownValues,
    barred: &Barred,
) -> Vec<ProbeRequest> {
    let mut asks = Vec::new();
    for field in schema.fields("Mutation") {
        let name = field.name.node.as_str();
        assert_eq!(field.arguments.len(), 1, "decide how {name} is called");
        let input = base(&field.arguments[0].node.ty.node);
        let inputs = schema.inputs(input);
        let ids: Vec<_> = inputs.iter().filter(|input| base(&input.ty.node) == "ID").collect();
        let mut plainly = Map::new();
        for input in inputs.iter().filter(|input| base(&input.ty.node) != "ID") {
            let name = input.name.node.as_str();
            plainly.extend(plain(name).map(|value| (name.to_owned(), value)));
        }
        let selection = schema.selection(base(&field.ty.node), 2, barred);
        let query = format!("mutation ($input: {input}!) {{ {name}(input: $input) {selection} }}");
        let given = |theirs: usize, with_optional: bool, turn: usize| {
            let mut all = plainly.clone();
            for (at, id) in ids.iter().enumerate() {
                if with_optional || !id.ty.node.nullable {
                    let name = id.name.node.as_str();
                    let whose = if theirs >> at & 1 == 1 { guess } else { own };
                    let pool = whose.ids_for(name);
                    // The first agent and its active version come first in their lists.
                    let id = &pool[turn.min(pool.len() - 1)];
                    all.insert(name.to_owned(), json!(id));
                }
            }
            ProbeRequest::graphql(name, &query, json!({ "input": all }))
        };
        let all = (1 << ids.len()) - 1;
        asks.push(given(all, false, 0));
        for turn in 0..3 {
            asks.push(given(all, true, turn));
        }
        asks.extend((1..all).map(|theirs| given(theirs, true, 0)));
    }
    asks
}

/// Every route, and paths without a route.
pub(super) fn routes(guess: &KnownValues, own: &KnownValues) -> Vec<ProbeRequest> {
    let mut asks = Vec::new();
    for (method, route, ..) in ROUTES {
        let at = |path: String| ProbeRequest::rest(method, &format!("{method} {route}"), path);
        match (*method, *route) {
            ("GET", "/v1/agents") => {
                let (customer, tag) = (&guess.customer, &guess.tag);
                let by_rest = ["name", "nameStartsWith", "nameContains", "modelName", "toolName", "archived"];
                let filters = filters(guess, "AgentFilter").into_iter();
                for (name, value) in filters.filter(|(name, _)| by_rest.contains(name)) {
                    let name = name.replace("Name", "_name").replace("StartsWith", "_starts_with");
                    let name = name.replace("Contains", "_contains");
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    asks.push(at(format!("{route}?{name}={value}")));
                    asks.push(at(format!("{route}?{name}={value}&customer_id={customer}")));
                }
                for id in guess.agents.iter().chain([customer]) {
                    asks.push(at(format!("{route}?after={}", cursor(id))));
                    asks.push(at(format!("{route}?limit=1&customer_id={id}&after={}", cursor(id))));
                }
                asks.push(at(format!("{route}?customer_id={customer}")).with("if-none-match", tag));
                asks.push(at(format!("{route}?nonsense={customer}")));
            }
            ("POST", "/v1/agents") => {
                for (customer, owner) in
                    [(guess, None), (guess, Some(guess)), (guess, Some(own)), (own, Some(guess))]
                {
                    let owner = owner.map(|whose| &whose.users[0]);
                    let body =
                        json!({ "customer_id": customer.customer, "name": "Guessed", "owner_id": owner });
                    asks.push(at((*route).to_owned()).body(&body));
                }
                asks.push(at((*route).to_owned()).body(&json!({ "nonsense": guess.names[0] })));
            }
            ("GET", "/internal/agents/{id}/versions/{version_id}") => {
                for (agent, version) in guess.agents.iter().flat_map(|agent| {
                    guess.versions.iter().chain([&guess.customer]).map(move |version| (agent, version))
                }) {
                    let path = route.replace("{id}", agent).replace("{version_id}", version);
                    asks.push(at(path.clone()));
                    asks.push(at(path.clone()).with("if-none-match", "*"));
                    asks.push(at(format!("{path}?nonsense={version}")));
                }
            }
            ("GET", _) => {
                asks.extend(guess.ids().iter().map(|id| at(route.replace("{id}", id))));
                let path = route.replace("{id}", &guess.agents[0]);
                for tag in [&guess.tag, "*", "\"nonsense\""] {
                    asks.push(at(path.clone()).with("if-none-match", tag));
                }
                for revision in ["0", &guess.revision, &guess.customer] {
                    asks.push(at(format!("{path}?at_least={revision}")));
                }
                for method in ["PUT", "DELETE"] {
                    asks.push(ProbeRequest::rest(method, route, path.clone()));
                }
                asks.push(at(format!("{path}/nonsense")));
            }
            ("POST", "/v1/agents/{id}/versions") => {
                let body = json!({ "system_prompt": "Guessed", "model_name": "guessed", "activate": true });
                asks.extend(guess.ids().iter().map(|id| at(route.replace("{id}", id)).body(&body)));
            }
            ("POST", "/v1/agents/{id}/plan") => {
                let content = json!({ "system_prompt": "Guessed", "model_name": "guessed" });
                let bodies = [
                    json!({ "version_id": guess.versions[0] }),
                    json!({ "version_id": own.versions[0] }),
                    json!({ "content": content }),
                    json!({ "environment": guess.names[0] }),
                ];
                for body in &bodies {
                    asks.extend(guess.ids().iter().map(|id| at(route.replace("{id}", id)).body(body)));
                }
                let path = route.replace("{id}", &own.agents[0]);
                asks.push(at(path).body(&json!({ "version_id": guess.versions[0] })));
            }
            ("POST", "/v1/customers/{id}/import") => {
                let (name, id) = (&guess.names[0], &guess.agents[0]);
                let file = json!({ "agent": name, "id": id, "description": "Guessed", "versions": [] });
                asks.extend(guess.ids().iter().map(|id| at(route.replace("{id}", id)).body(&file)));
            }
            // Covered by every query and mutation.
            ("POST", "/graphql") => {}
            other => panic!("decide how {other:?} is called"),
        }
    }
    asks.extend(OPEN.iter().map(|(path, _)| {
        ProbeRequest::rest("GET", path, path.replace("{file}", "boot.js").replace("{name}", "not-found"))
    }));
    asks
}
