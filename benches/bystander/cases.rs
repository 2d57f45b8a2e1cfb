//! The cases: one for each way in which a caller was once able to slow others. Each names the flood's credential and
//! content.

use serde_json::{Value, json};

use super::{
    attack::{Flood, Opening, Piece},
    documents,
    others::Others,
    serving::Failure,
    world::{Tenant, World},
};

/// What happens just before the bystander is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing.
    None,
    /// The database ends and is started again.
    RestartPostgres,
    /// The database accepts three connections of the service's role.
    FewConnections,
}

/// The bystander's request.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// A page of agents.
    Agents,
    /// A diff of two short prompts.
    Diff,
    /// An excerpt of the audit log, twice a second.
    Excerpt,
}

/// A case.
pub struct Case {
    /// The name on the command line.
    pub name: &'static str,
    /// The flood: its credential, its connections and what they send.
    pub about: &'static str,
    /// The bystander's request.
    pub asked: Asked,
    /// What happens before.
    pub event: Event,
    /// Whether an agent's many long names are needed.
    pub needs_names: bool,
    /// Whether a log with long entries is needed.
    pub needs_log: bool,
    flood: fn(&World) -> Result<Flood, Failure>,
}

impl Case {
    const fn new(
        name: &'static str,
        about: &'static str,
        flood: fn(&World) -> Result<Flood, Failure>,
    ) -> Self {
        let (asked, event) = (Asked::Agents, Event::None);
        Self { name, about, asked, event, needs_names: false, needs_log: false, flood }
    }

    /// The flood of this case.
    pub fn flood(&self, world: &World) -> Result<Flood, Failure> {
        (self.flood)(world)
    }

    /// The bystander of this case.
    pub fn others(&self, world: &World) -> Others {
        let other = &world.other;
        let asks = |query: String| post(Some(&other.key), "", &json!({ "query": query }));
        let (request, expected, connections, per_second) = match self.asked {
            Asked::Agents => {
                let query = "{ agents(first: 10) { nodes { name activeVersion { number } } } }";
                (asks(query.to_owned()), "{\"data\":{\"agents\"", 4, 50)
            }
            Asked::Diff => (asks(diffs(other, 1)), "{\"data\":{\"agent\":{\"a0\":{", 4, 10),
            Asked::Excerpt => (excerpt(other), "{\"end\":", 1, 2),
        };
        Others { request, expected, connections, per_second }
    }
}

/// All cases.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    Case::new("pings-1", "nobody: 1 socket, pings of 4 MiB, pongs unread", |world| pings(world, 1)),
    Case::new("pings-4", "nobody: 4 sockets, pings of 4 MiB, pongs unread", |world| pings(world, 4)),
    Case::new("frames", "nobody: 416 sockets, each with a frame of 4 MiB less a byte", |world| {
        unread(world, 416, Opening::Socket(None), vec![Piece::CutFrame(ping())])
    }),
    Case::new("heads", "nobody: 1,818 connections with heads of 60 KiB", |world| {
        let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}", "x".repeat(60 * 1024));
        unread(world, 1_818, Opening::Http, vec![Piece::Bytes(head)])
    }),
    Case::new("operations", "key: 1 socket, 100 operations of 30 MiB, unread", |world| {
        let Tenant { key, agent, .. } = &world.enterprise;
        let pieces = (0..100).map(|nth| subscribe(nth, &prompts(agent))).collect();
        unread(world, 1, Opening::Socket(Some(key.clone())), pieces)
    }),
    Case::new("answers", "key: 100 HTTP requests of 30 MiB, unread", |world| {
        let Tenant { key, agent, .. } = &world.enterprise;
        unread(world, 100, Opening::Http, vec![asks(key, &prompts(agent))])
    }),
    Case::new("escapes", "key: 20 connections ask for a prompt of U+0001 with 63 aliases", |world| {
        let Tenant { key, escaped, .. } = &world.enterprise;
        read(world, 20, vec![asks(key, &prompts(escaped))])
    }),
    Case::new("diff-aliases", "key: 1 connection asks for 99 aliases of `diff`", |world| {
        let tenant = &world.enterprise;
        read(world, 1, vec![asks(&tenant.key, &diffs(tenant, 99))])
    }),
    Case::new("bodies", "FREE key: 549 bodies of 4 MiB in flight", |world| {
        let body = json!({ "query": "{ __typename }", "variables": { "x": "x".repeat(4 * 1024 * 1024 - 100) } });
        let mut request = post(Some(&world.free.key), "", &body);
        request.pop();
        unread(world, 549, Opening::Http, vec![Piece::Bytes(request)])
    }),
    Case { needs_log: true, ..Case::new("subscriptions", "FREE key: 99 sockets × 100 `changes(after: \"0\")`, unread", |world| {
        let query = "subscription { changes(after: \"0\") { revision before after details } }";
        let pieces = (0..100).map(|nth| subscribe(nth, query)).collect();
        let flood = unread(world, 99, Opening::Socket(Some(world.free.key.clone())), pieces)?;
        // As fast as the plan allows: sign-ins beyond its rate are rejected.
        Ok(Flood { per_second: Some(50.0), ..flood })
    }) },
    Case::new("script", "nobody: 32 connections ask for the explorer's script with `br`", |world| {
        let request = "GET /graphiql/graphiql.min.js HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br\r\n\r\n";
        read(world, 32, vec![Piece::Bytes(request.to_owned())])
    }),
    Case::new("br-4", "FREE key: 4 connections with answers of 30 MiB and `br`", |world| compressed(world, 4)),
    Case::new("br-40", "FREE key: 40 connections with answers of 30 MiB and `br`", |world| compressed(world, 40)),
    Case::new("schemas", "token without membership: 20 root fields, each with a schema of 340 KiB", |world| {
        read(world, 8, vec![Piece::Bytes(post(Some(&world.stranger), "", &schemas(&world.other.agent)))])
    }),
    Case { asked: Asked::Diff, ..Case::new("diffs-for-diffs", "FREE key: 40 connections of diffs; others ask for a short diff", diffs_of_forty) },
    Case::new("mutations", "FREE key: 40 connections, 20 mutations in one request", |world| {
        let Tenant { id, key, .. } = &world.free;
        // Names differ between requests, so that each creates agents until the plan's limit.
        let pieces = (0..40).map(|request| {
            let fields: String = (0..20)
                .map(|nth| format!("a{nth}: createAgent(input: {{customerId: \"{id}\", name: \"Made {request} {nth}\"}}) {{ revision }} "))
                .collect();
            asks(key, &format!("mutation {{ {fields} }}"))
        });
        read(world, 40, pieces.collect())
    }),
    Case::new("diffs", "FREE key: 40 connections of diffs", diffs_of_forty),
    Case { needs_names: true, ..Case::new("counts", "ENTERPRISE key: 30 connections of 20 counts over 20,000 long names", |world| {
        let fields: String = (0..20)
            .map(|nth| format!("a{nth}: agents(first: 1, filter: {{nameContains: \"a\"}}) {{ totalCount }} "))
            .collect();
        read(world, 30, vec![asks(&world.enterprise.key, &format!("{{ {fields} }}"))])
    }) },
    Case { needs_log: true, asked: Asked::Excerpt, ..Case::new("excerpts", "FREE key: two unread excerpts of the audit; others ask for theirs", |world| {
        unread(world, 2, Opening::Http, vec![Piece::Bytes(excerpt(&world.free))])
    }) },
    Case { event: Event::RestartPostgres, ..Case::new("restart", "nobody: Postgres was restarted", |world| read(world, 0, vec![])) },
    Case { event: Event::FewConnections, ..Case::new("role-limit", "nobody: Postgres accepts three connections of the role", |world| read(world, 0, vec![])) },
    Case::new("refused-anonymous", "nobody: 8 connections with rejected documents", |world| refused(world, None)),
    Case::new("refused-token", "wrong token: 8 connections with rejected documents", |world| {
        // As long as a real token, with an invalid signature.
        let token: String = world.stranger.chars().rev().take(20).chain(world.stranger.chars().skip(20)).collect();
        refused(world, Some(&token))
    }),
    Case::new("refused-key", "FREE key: 8 connections with rejected documents", |world| refused(world, Some(&world.free.key))),
];

/// A POST to `/graphql`.
fn post(token: Option<&str>, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    let credential = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\n{credential}{headers}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn asks(key: &str, query: &str) -> Piece {
    Piece::Bytes(post(Some(key), "", &json!({ "query": query })))
}

fn excerpt(tenant: &Tenant) -> String {
    let Tenant { id, key, .. } = tenant;
    format!("GET /v1/customers/{id}/audit HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n")
}

fn subscribe(id: u32, query: &str) -> Piece {
    let payload = json!({ "query": query });
    Piece::Frame(json!({ "id": id.to_string(), "type": "subscribe", "payload": payload }).to_string())
}

/// A ping of nearly 4 MiB, the longest message.
fn ping() -> String {
    json!({ "type": "ping", "payload": { "x": "x".repeat(4 * 1024 * 1024 - 64) } }).to_string()
}

/// A query for 31.5 MiB: a prompt of 512 KiB with 63 aliases.
fn prompts(agent: &str) -> String {
    let aliases: String = (0..63).map(|nth| format!("a{nth}: systemPrompt ")).collect();
    format!("{{ agent(id: \"{agent}\") {{ version(number: 1) {{ {aliases} }} }} }}")
}

fn diffs(tenant: &Tenant, aliases: u32) -> String {
    let aliases: String =
        (0..aliases).map(|nth| format!("a{nth}: diff(from: 1, to: 2) {{ systemPrompt }} ")).collect();
    format!("{{ agent(id: \"{}\") {{ {aliases} }} }}", tenant.agent)
}

/// Twenty mutations, each with a tool whose input has a schema of 340 KiB.
fn schemas(agent: &str) -> Value {
    let properties: serde_json::Map<String, Value> =
        (0..11_000).map(|nth| (format!("p{nth:06}"), json!({ "type": "string" }))).collect();
    let tools = json!([{ "name": "t", "inputSchema": { "type": "object", "properties": properties } }]);
    let fields: String = (0..20)
        .map(|nth| {
            format!("a{nth}: publishVersion(input: {{agentId: \"{agent}\", modelName: \"m\", systemPrompt: \"\", tools: $tools}}) {{ revision }} ")
        })
        .collect();
    json!({ "query": format!("mutation ($tools: [ToolInput!]!) {{ {fields} }}"), "variables": { "tools": tools } })
}

/// Requests on connections that read each response before the next request.
fn read(world: &World, connections: usize, pieces: Vec<Piece>) -> Result<Flood, Failure> {
    let to = world.serving.address()?;
    let opening = Opening::Http;
    Ok(Flood { to, connections, opening, pieces, times: None, is_read: true, per_second: None })
}

/// Pieces sent once, on connections that read nothing and stay open.
fn unread(world: &World, connections: usize, opening: Opening, pieces: Vec<Piece>) -> Result<Flood, Failure> {
    let to = world.serving.address()?;
    Ok(Flood { to, connections, opening, pieces, times: Some(1), is_read: false, per_second: None })
}

fn pings(world: &World, sockets: usize) -> Result<Flood, Failure> {
    let flood = unread(world, sockets, Opening::Socket(None), vec![Piece::Frame(ping())])?;
    Ok(Flood { times: None, ..flood })
}

fn compressed(world: &World, connections: usize) -> Result<Flood, Failure> {
    let Tenant { key, agent, .. } = &world.free;
    let request = post(Some(key), "Accept-Encoding: br\r\n", &json!({ "query": prompts(agent) }));
    read(world, connections, vec![Piece::Bytes(request)])
}

fn diffs_of_forty(world: &World) -> Result<Flood, Failure> {
    read(world, 40, vec![asks(&world.free.key, &diffs(&world.free, 20))])
}

fn refused(world: &World, token: Option<&str>) -> Result<Flood, Failure> {
    let pieces = documents::refused().into_iter().map(|body| Piece::Bytes(post(token, "", &body)));
    read(world, 8, pieces.collect())
}
