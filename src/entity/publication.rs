//! What publishing and activating write: new versions, activations, and the agents' new columns, of one agent or
//! of many.

use sea_orm::{
    DbBackend, EntityName, EntityTrait, QueryTrait, Statement, StatementBuilder,
    sea_query::{
        CommonTableExpression, Expr, ExprTrait, InsertStatement, OnConflict, Query, TableRef, ValueTuple,
        WithClause,
    },
};

use super::{activation, agent, agent_version, serving};

/// The greatest number of versions in one statement: a version has 18 parameters, and Postgres takes 65,535.
pub const ROWS_MAX: usize = 1000;

/// The rows to write. The agents, or their servings, must be locked.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// The agents to change, each once, with their new `latest_number`, and with the `active_version_id` and
    /// `activated_at` of the default environment.
    pub agents: Vec<agent::Model>,
    /// The new versions, of agents that are among these.
    pub versions: Vec<agent_version::Version>,
    /// The new activations.
    pub activations: Vec<activation::Model>,
    /// The servings to change in other environments, each once.
    pub servings: Vec<serving::Model>,
}

impl Publication {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.servings.is_empty()
    }

    /// Whether the publication must be written before more is added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.versions.len() >= ROWS_MAX
    }

    /// Builds the statements, each with the number of rows that it affects: one for the agents, the versions and the
    /// activations, and one for the servings.
    #[must_use]
    pub fn statements(self) -> Vec<(Statement, u64)> {
        let Self { agents, versions, mut activations, servings } = self;
        let rows = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut statements = Vec::new();
        if !agents.is_empty() {
            let count = rows(agents.len());
            statements.push((update_agents(&agents, versions, std::mem::take(&mut activations)), count));
        }
        if !servings.is_empty() {
            let count = rows(servings.len());
            statements.push((set_servings(servings, activations), count));
        }
        statements
    }
}

/// Changes the agents, and inserts the versions and the activations before.
fn update_agents(
    agents: &[agent::Model],
    versions: Vec<agent_version::Version>,
    activations: Vec<activation::Model>,
) -> Statement {
    let (mut with, mut update) = (WithClause::new(), Query::update());
    let [id, number, active, since] =
        ["column1", "column2", "column3", "column4"].map(|name| Expr::col(("n", name)));
    update
        .table(agent::Entity.table_ref())
        .values([("latest_number", number), ("active_version_id", active), ("activated_at", since)])
        .from(new_agent_columns(agents))
        .and_where(Expr::col(("agents", "id")).eq(id));
    if !versions.is_empty() {
        // The update of an agent fires a trigger that reads its active version, so the versions must be
        // inserted first.
        let count = i64::try_from(versions.len()).unwrap_or(i64::MAX);
        let first = Expr::cust_with_values(r#"(SELECT count(*) FROM "version") = $1"#, [count]);
        update.and_where(first);
        let rows = versions
            .into_iter()
            .map(|version| agent_version::ActiveModel::from(agent_version::Model::from(version)));
        let mut rows = agent_version::Entity::insert_many(rows).into_query();
        rows.returning_col("id");
        with.cte(named("version", rows));
    }
    insert_activations(&mut with, activations);
    StatementBuilder::build(&update.with_cte(with).to_owned(), &DbBackend::Postgres)
}

/// Inserts or changes the servings, and inserts the activations.
fn set_servings(servings: Vec<serving::Model>, activations: Vec<activation::Model>) -> Statement {
    let mut insert = serving::Entity::insert_many(servings.into_iter().map(serving::ActiveModel::from))
        .on_conflict(
            OnConflict::columns([serving::Column::AgentId, serving::Column::EnvironmentId])
                .update_columns([serving::Column::ActiveVersionId, serving::Column::ActivatedAt])
                .to_owned(),
        )
        .into_query();
    if activations.is_empty() {
        // The statement for the agents has inserted them.
        return StatementBuilder::build(&insert, &DbBackend::Postgres);
    }
    let mut with = WithClause::new();
    insert_activations(&mut with, activations);
    StatementBuilder::build(&insert.with_cte(with).to_owned(), &DbBackend::Postgres)
}

fn insert_activations(with: &mut WithClause, activations: Vec<activation::Model>) {
    if !activations.is_empty() {
        let rows = activations.into_iter().map(activation::ActiveModel::from);
        with.cte(named("activation", activation::Entity::insert_many(rows).into_query()));
    }
}

fn named(name: &'static str, rows: InsertStatement) -> CommonTableExpression {
    CommonTableExpression::new().table_name(name).query(rows).to_owned()
}

/// The agents' new columns as a VALUES table, whose columns Postgres names `column1` and so on.
fn new_agent_columns(agents: &[agent::Model]) -> TableRef {
    let row = |agent: &agent::Model| {
        let agent::Model { id, latest_number, active_version_id, activated_at, .. } = *agent;
        let row = [id.into(), latest_number.into(), active_version_id.into(), activated_at.into()];
        ValueTuple::Many(row.to_vec())
    };
    TableRef::ValuesList(agents.iter().map(row).collect(), "n".into())
}
