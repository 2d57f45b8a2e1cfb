//! Proves that the canary works: it finds the marker when an operator reads, and when a table has no row-level
//! security.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    ask::{self, ProbeRequest},
    queries, row_level_security_only,
    schema::Barred,
    world::{Outsider, World},
};

/// The requests among `doors` whose responses to this outsider contain forbidden data.
async fn find_leaks(world: &World, outsider: &Outsider, doors: &[&str]) -> BTreeSet<String> {
    let (ear, texts) = (world.ear().await, world.theirs.guess.texts());
    let mut asks = queries(world, outsider);
    asks.extend(ask::routes(&world.theirs.guess, &world.ours.guess));
    let name = format!("{{ customer(id: {:?}) {{ name }} }}", world.theirs.guess.customer);
    asks.push(ProbeRequest::graphql("customer's name", &name, Value::Null));
    for ask in asks.iter().filter(|ask| !ask.is_write && doors.contains(&ask.what.as_str())) {
        let heard = world.send_and_record(&outsider.client, ask).await;
        ear.listen(&ask.what, &ask.said(&texts), &heard.bytes);
    }
    ear.found()
}

#[tokio::test]
async fn an_operator_sets_it_off_at_each_door_and_so_does_a_table_without_row_level_security() {
    let world = World::new(row_level_security_only()).await;
    let doors = [
        "node",
        "nodes",
        "customer",
        "customers",
        "agent",
        "agents",
        "activations",
        "activeConfig",
        "pinnedConfig",
        "Customer.activations",
        "Customer.agents",
        "Customer.apiKeys",
        "Customer.invitations",
        "Customer.members",
        "Agent.versions",
        "Agent.activations",
        "User.agents",
        "GET /v1/agents",
        "GET /v1/agents/{id}",
        "GET /internal/agents/{id}/active",
        "GET /internal/agents/{id}/versions/{version_id}",
    ];
    let client = world.operator.0.clone();
    let operator = Outsider { name: "operator", client, barred: Barred::new(), lean: Barred::new() };
    assert_eq!(find_leaks(&world, &operator, &doors).await, doors.map(str::to_owned).into());

    let outsider = world.outsiders().await.remove(0);
    let doors = ["customer", "customer's name", "agent", "node"];
    let mut admin = PgConnection::connect(&world.app.database.admin_url).await.unwrap();
    for (table, leaks) in [
        // Its plan is read by the rights at the customer, and can't be null: there is no customer without it.
        ("customers", &["customer's name"] as &[&str]),
        ("agents", &["agent", "node"]),
        ("agent_versions", &["node"]),
        ("activations", &["node"]),
        ("users", &["node"]),
    ] {
        let mut found = BTreeSet::new();
        for verb in ["DISABLE", "ENABLE"] {
            let sql = format!("ALTER TABLE registry.{table} {verb} ROW LEVEL SECURITY");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
            if verb == "DISABLE" {
                found = find_leaks(&world, &outsider, &doors).await;
            }
        }
        assert_eq!(
            found,
            leaks.iter().map(|door| (*door).to_owned()).collect(),
            "without row-level security of {table}"
        );
    }
}
