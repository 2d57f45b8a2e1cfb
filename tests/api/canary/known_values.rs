//! What a caller might know of a customer and send: ids, cursors and texts, read from all its rows.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// All rows of a customer, by table, as a superuser sees them.
pub(super) type Rows = BTreeMap<String, Vec<Value>>;

/// Reads each table with a `customer_id`, the customer's own row, and its members' users.
pub(super) async fn rows(admin_url: &str, customer: &str) -> Rows {
    let mut admin = PgConnection::connect(admin_url).await.unwrap();
    let tables = "SELECT table_name::text FROM information_schema.columns
        WHERE table_schema = 'registry' AND column_name = 'customer_id' ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut admin).await.unwrap();
    assert!(tables.len() > 7, "{tables:?}");
    let mut wanted: Vec<(String, &str)> =
        tables.into_iter().map(|table| (table, "customer_id = $1::text::uuid")).collect();
    wanted.push(("customers".to_owned(), "id = $1::text::uuid"));
    let people = "id IN (SELECT user_id FROM registry.memberships WHERE customer_id = $1::text::uuid)";
    wanted.push(("users".to_owned(), people));
    let theirs = "user_id IN (SELECT user_id FROM registry.memberships WHERE customer_id = $1::text::uuid)";
    wanted.push(("identities".to_owned(), theirs));
    wanted.push(("sessions".to_owned(), theirs));
    let mut rows = Rows::new();
    for (table, condition) in wanted {
        let sql = format!("SELECT to_jsonb(t)::text FROM registry.{table} AS t WHERE {condition} ORDER BY 1");
        let found: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(customer).fetch_all(&mut admin).await.unwrap();
        rows.insert(table, found.iter().map(|row| serde_json::from_str(row).unwrap()).collect());
    }
    admin.close().await.unwrap();
    rows
}

/// The ids and hashes in these rows.
pub(super) fn names_in(rows: &Rows) -> BTreeSet<String> {
    let texts = rows.values().flatten().flat_map(|row| row.as_object().unwrap().values());
    let mut names = BTreeSet::new();
    for text in texts.filter_map(Value::as_str) {
        if let Some(hash) = text.strip_prefix("\\x") {
            names.insert(hash.to_owned());
        } else if text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4 {
            names.insert(text.to_owned());
        }
    }
    names
}

/// Encodes an id as the cursor of a page.
pub(super) fn cursor(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// The values that a caller might send.
#[derive(Clone, Debug)]
pub(super) struct KnownValues {
    pub(super) customer: String,
    /// The first one serves its second version.
    pub(super) agents: Vec<String>,
    /// The first agent's versions come first.
    pub(super) versions: Vec<String>,
    pub(super) activations: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) invitations: Vec<String>,
    pub(super) environments: Vec<String>,
    /// Of the customer's people.
    pub(super) sessions: Vec<String>,
    /// Log cursors.
    pub(super) places: Vec<String>,
    /// Names of agents, and of the customer.
    pub(super) names: Vec<String>,
    pub(super) marker: String,
    pub(super) tag: String,
    pub(super) revision: String,
}

impl KnownValues {
    pub(super) fn of(rows: &Rows, customer: &str, marker: &str, tag: String) -> Self {
        let column = |table: &str, column: &str| -> Vec<String> {
            let mut rows: Vec<&Value> = rows[table].iter().collect();
            rows.sort_by_key(|row| row["id"].as_str());
            rows.iter().map(|row| row[column].as_str().unwrap().to_owned()).collect()
        };
        let place = |row: &Value| {
            let hash = row["cursor_hash"].as_str().unwrap().trim_start_matches("\\x");
            format!("{}.{}.{hash}", row["revision"], row["position"])
        };
        let mut names = column("agents", "name");
        names.extend(column("customers", "name"));
        // The others have a key that is the customer's own.
        names.extend(column("environments", "key").into_iter().filter(|key| key != "production"));
        Self {
            customer: customer.to_owned(),
            agents: column("agents", "id"),
            versions: column("agent_versions", "id"),
            activations: column("activations", "id"),
            users: column("users", "id"),
            keys: column("api_keys", "id"),
            invitations: column("invitations", "id"),
            environments: column("environments", "id"),
            sessions: column("sessions", "id"),
            places: rows["activations"].iter().map(place).collect(),
            names,
            marker: marker.to_owned(),
            tag,
            revision: rows["activations"][0]["revision"].to_string(),
        }
    }

    /// The log cursors in the form of page cursors.
    pub(super) fn entries(&self) -> Vec<String> {
        let entry = |place: &String| place.rsplit_once('.').unwrap().0.to_owned();
        self.places.iter().map(entry).collect()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        let Self { agents, versions, activations, users, keys, invitations, environments, sessions, .. } =
            self;
        let all = [agents, versions, activations, users, keys, invitations, environments, sessions];
        let all = all.into_iter().flatten();
        std::iter::once(&self.customer).chain(all).cloned().collect()
    }

    /// The ids that an argument or input field of this name may take.
    pub(super) fn ids_for(&self, name: &str) -> Vec<String> {
        match name {
            "id" | "ids" => self.ids(),
            "customerId" | "customerIds" => vec![self.customer.clone()],
            "agentId" => self.agents.clone(),
            "versionId"
            | "expectedActiveVersionId"
            | "toVersionId"
            | "expectedFromVersionId"
            | "expectedToVersionId" => self.versions.clone(),
            "environmentId" => self.environments.clone(),
            "userId" | "ownerId" => self.users.clone(),
            "apiKeyId" => self.keys.clone(),
            "invitationId" => self.invitations.clone(),
            // Service tokens belong to the platform, not to a customer.
            "serviceTokenId" => vec![self.customer.clone()],
            "sessionId" => self.sessions.clone(),
            other => panic!("decide which ids {other} gets"),
        }
    }

    /// All texts that a request may contain, longest first.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = self.ids();
        texts.extend(self.ids().iter().map(|id| cursor(id)));
        texts.extend([&self.places, &self.names].into_iter().flatten().cloned());
        texts.extend(["model", "tool"].map(|what| format!("{}-{what}", self.marker)));
        texts.push(self.tag.clone());
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts
    }

    /// The same for a customer that doesn't exist: ids as long, and at the same place in an order.
    pub(super) fn invented(&self) -> Self {
        let other = |text: &String| {
            let flip = |(at, byte): (usize, char)| match byte.to_digit(16) {
                Some(digit) if at >= 24 => char::from_digit(15 - digit, 16).unwrap(),
                _ => byte,
            };
            text.char_indices().map(flip).collect::<String>()
        };
        let others = |texts: &Vec<String>| texts.iter().map(other).collect();
        let marker: String = self.marker.chars().rev().collect();
        let renamed = |name: &String| name.replace(&self.marker, &marker);
        Self {
            customer: other(&self.customer),
            agents: others(&self.agents),
            versions: others(&self.versions),
            activations: others(&self.activations),
            users: others(&self.users),
            keys: others(&self.keys),
            invitations: others(&self.invitations),
            environments: others(&self.environments),
            sessions: others(&self.sessions),
            places: self.places.clone(),
            names: self.names.iter().map(renamed).collect(),
            tag: self.tag.chars().rev().collect(),
            revision: self.revision.clone(),
            marker,
        }
    }
}

/// The value of an input field that isn't an id; none leaves it out.
pub(super) fn plain(name: &str) -> Option<Value> {
    match name {
        "name" | "systemPrompt" | "modelName" | "description" | "message" => Some(json!("Guessed")),
        "externalId" => Some(json!("guessed")),
        "email" => Some(json!("guessed@example.org")),
        "issuer" | "subject" => Some(json!("urn:agent-registry:local")),
        "role" => Some(json!("VIEWER")),
        "plan" => Some(json!("PRO")),
        "status" => Some(json!("ACTIVE")),
        "scopes" => Some(json!(["CONFIGS_READ"])),
        "tools" => Some(json!([{ "name": "guessed" }])),
        "extensions" => Some(json!({ "org.example.guessed": "Guessed" })),
        "activate" => Some(json!(true)),
        "key" | "gatewayName" => Some(json!("guessed")),
        "revision" => Some(json!("1")),
        // tests/api/applied/rights.rs rejects versions of another customer.
        "rejections" | "region" | "build" => None,
        // Every customer has it.
        "environment" | "fromEnvironment" => Some(json!("production")),
        "toEnvironment" => Some(json!("guessed")),
        "environments"
        | "rank"
        | "promoteFrom"
        | "minSoakSeconds"
        | "onBreaking"
        | "allowedModels"
        | "activateRole"
        | "modelParameters"
        | "ifChanged"
        | "refuseWarnings"
        | "planHash"
        | "confirm"
        | "expectedLatestNumber"
        | "expiresAt"
        | "overlapSeconds"
        | "steps" => None,
        // Keys are separate for each caller (tests/api/idempotency.rs); a used one would hide the request.
        "idempotencyKey" => None,
        other => panic!("decide which value {other} gets"),
    }
}
