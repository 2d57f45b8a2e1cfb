//! The list of people with a profile, for operators, and which of them are operators.

use sea_orm::{EntityTrait, FromQueryResult, SelectModel, SelectorRaw};

use super::{
    KeysetPage,
    count::{self, SelectCounts},
    list_filter::{
        Comparison::{self, Meets},
        IndexMatches, ListCondition, normal,
    },
    list_position::ListPosition,
    ordered_list::{ListOrder, OrderedList},
    sql::Sql,
    user::{Entity, Model},
    uuids,
};
use crate::id::UserId;

/// The filter of a list of people. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only people whose address contains this, ignoring case.
    pub email_contains: Option<String>,
    /// Only people whose display name contains this, ignoring case.
    pub name_contains: Option<String>,
    /// Only operators, or only the others.
    pub is_operator: Option<bool>,
}

/// The users who are operators by one of their identities.
const OPERATORS: &str = "SELECT DISTINCT i.user_id FROM registry.operators AS p \
     JOIN registry.identities AS i ON i.issuer = p.issuer AND i.subject = p.subject";

/// The condition that a user is an operator, in which `@` stands for the user's row.
const IS_OPERATOR: &str = "(SELECT true FROM registry.identities AS i JOIN registry.operators AS p \
     ON p.issuer = i.issuer AND p.subject = i.subject WHERE i.user_id = @.id LIMIT 1)";

fn conditions(filter: &Filter, sql: &mut Sql) -> Vec<ListCondition> {
    let Filter { email_contains, name_contains, is_operator } = filter;
    let mut conditions = Vec::new();
    match is_operator {
        Some(true) => conditions.push(ListCondition::indexed(
            Meets(IS_OPERATOR.to_owned()),
            IndexMatches::of_select(OPERATORS, "user_id"),
        )),
        Some(false) => conditions.push(ListCondition::frequent(Meets(format!("{IS_OPERATOR} IS NULL")))),
        None => {}
    }
    let parts = [("E", "@.email", email_contains), ("N", "coalesce(@.chosen_name, @.name)", name_contains)];
    for (letter, column, part) in parts {
        // An empty part, as an emptied search field sends it, filters nothing.
        let Some(part) = part.as_ref().filter(|part| !part.is_empty()) else { continue };
        let part = format!("registry.fold_case({}::text)", sql.bind(normal(part)));
        let row = Meets(format!("strpos(registry.fold_case({column}), {part}) > 0"));
        let ending = Comparison::ends_with("ending", &part).and(format!("@.part = '{letter}'"));
        let endings = IndexMatches::of("user_ends", "user_id", ending);
        conditions.push(ListCondition::roughly_indexed(row, endings));
    }
    conditions
}

/// A page of the people that pass the filter, oldest first.
pub fn page(filter: &Filter, page: &KeysetPage<UserId>) -> SelectorRaw<SelectModel<Model>> {
    let (mut sql, order) = (Sql::default(), ListOrder::by_id("users", false));
    let conditions = conditions(filter, &mut sql);
    let whose = |_: &str, _: &str| "true".to_owned();
    let list = OrderedList { table: "users", order: &order, conditions: &conditions, whose: &whose };
    let KeysetPage { after, before, limit, backward } = page;
    let [after, before] = [after, before].map(|id| id.map(ListPosition::of_id));
    let text = list.page(&KeysetPage { after, before, limit: *limit, backward: *backward }, &mut sql);
    Entity::find().from_raw_sql(sql.statement(text))
}

/// Counts the people that pass the filter.
pub fn count(filter: &Filter) -> SelectCounts {
    let (mut sql, order) = (Sql::default(), ListOrder::by_id("users", false));
    let conditions = conditions(filter, &mut sql);
    let whose = |_: &str, _: &str| "true".to_owned();
    let list = OrderedList { table: "users", order: &order, conditions: &conditions, whose: &whose };
    let text = list.counted::<UserId>(&mut sql);
    count::of_select(sql, &text)
}

/// The id of a user who is an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OperatorId {
    /// The user's id.
    pub id: UserId,
}

/// Those of these users who are operators by one of their identities.
pub fn operators_among(ids: &[UserId]) -> SelectorRaw<SelectModel<OperatorId>> {
    let mut sql = Sql::default();
    let ids = sql.bind(uuids(ids));
    OperatorId::find_by_statement(sql.statement(format!(
        "SELECT DISTINCT i.user_id AS id FROM registry.identities AS i \
         JOIN registry.operators AS p ON p.issuer = i.issuer AND p.subject = i.subject WHERE i.user_id = ANY({ids}::uuid[])"
    )))
}
