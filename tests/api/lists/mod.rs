//! Lists in other orders than that of creation, and counts for charts: each against a model that sorts and counts in memory.
//! `growth` tests their cost.

mod agents;
mod counts;
mod customers;
mod people;
mod refused;
mod stage;

use serde_json::{Value, json};

use crate::support::caller::{Answer, Client};

/// A page of this list, with these arguments.
pub(super) async fn page(client: &Client, list: &str, arguments: &Value) -> Answer {
    let (types, name) = match list {
        "agents" | "customer" => {
            ("$environment: String, $filter: AgentFilter, $orderBy: AgentOrder", "agents")
        }
        "customers" => ("$filter: CustomerFilter, $orderBy: CustomerOrder", "customers"),
        "users" => ("$filter: UserFilter", "users"),
        other => panic!("no list {other}"),
    };
    let given = |name: &str| match name {
        "agents" => "environment: $environment, filter: $filter, orderBy: $orderBy",
        "customers" => "filter: $filter, orderBy: $orderBy",
        _ => "filter: $filter",
    };
    let pages = "first: $first, after: $after, last: $last, before: $before";
    let wanted = "totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let field = format!("list: {name}({}, {pages}", given(name));
    let query = match list {
        "customer" => format!("customer(id: $id) {{ {field}) {{ {wanted} }} }}"),
        "agents" => format!("{field}, customerId: $id) {{ {wanted} }}"),
        _ => format!("{field}) {{ {wanted} }}"),
    };
    let id = match list {
        "customer" => "$id: ID!, ",
        "agents" => "$id: ID, ",
        _ => "",
    };
    let query = format!(
        "query ({id}{types}, $first: Int, $after: String, $last: Int, $before: String) {{ {query} }}"
    );
    client.gql(&query, arguments.clone()).await
}

/// The connection in an answer of [`page`].
pub(super) fn connection(answer: &Answer) -> &Value {
    let found = answer.body.pointer("/data/list").or_else(|| answer.body.pointer("/data/customer/list"));
    found.unwrap_or_else(|| panic!("{}", answer.body))
}

fn ids(connection: &Value) -> Vec<String> {
    let nodes = connection["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// Reads the whole list in pages of this size, from the start and from the end. Both must be the same list, and as long as
/// its count says.
pub(super) async fn all(client: &Client, list: &str, arguments: &Value, size: usize) -> Vec<String> {
    let mut read = Vec::new();
    for (count, cursor, end, more) in
        [("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage")]
    {
        let (mut rows, mut arguments): (Vec<String>, Value) = (Vec::new(), arguments.clone());
        arguments[count] = json!(size);
        loop {
            let answer = page(client, list, &arguments).await;
            let page = connection(&answer);
            let mut found = ids(page);
            assert!(found.len() <= size && (!found.is_empty() || rows.is_empty()), "{arguments}: {page}");
            if count == "last" {
                found.extend(rows);
                rows = found;
            } else {
                rows.extend(found);
            }
            if page["pageInfo"][more] == json!(false) {
                assert_eq!(page["totalCount"], json!(rows.len()), "{arguments}");
                break;
            }
            arguments[cursor] = page["pageInfo"][end].clone();
        }
        read.push(rows);
    }
    assert_eq!(read[0], read[1], "{arguments}");
    read.remove(0)
}

/// Sorts rows as a list does: by a value, rows without one last in both directions, and equal ones by id in the same
/// direction.
pub(super) fn sorted<T, V: Ord>(
    rows: &[T],
    id: impl Fn(&T) -> &str,
    value: impl Fn(&T) -> Option<V>,
    is_descending: bool,
) -> Vec<String> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_by(|one, two| {
        let (one_value, two_value) = (value(one), value(two));
        one_value.is_none().cmp(&two_value.is_none()).then_with(|| {
            let order = one_value.cmp(&two_value).then_with(|| id(one).cmp(id(two)));
            if is_descending { order.reverse() } else { order }
        })
    });
    rows.into_iter().map(|row| id(row).to_owned()).collect()
}

#[test]
fn the_model_puts_rows_without_a_value_last_in_both_directions() {
    let rows = [("a", None), ("b", Some(2)), ("c", Some(1)), ("d", None), ("e", Some(2))];
    let sorted = |is_descending| sorted(&rows, |row| row.0, |row| row.1, is_descending).concat();
    assert_eq!(sorted(false), "cbead");
    assert_eq!(sorted(true), "ebcda");
}
