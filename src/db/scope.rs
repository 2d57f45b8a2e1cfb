//! The scope of a transaction: the tenants whose rows it may access. Queries filter by it, and Postgres enforces it
//! again with row-level security.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use crate::{
    entity::{EnvironmentFilter, TenantFilter},
    environment_key::EnvironmentKey,
    id::{CustomerId, Revision},
};

/// The scope of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Reads credentials and users, before the caller is known.
    Auth,
    /// Accepts an invitation: as `Auth`, and the rows of this customer.
    Joining(CustomerId),
    /// Reads configurations of all customers, no personal data, and writes nothing.
    Runtime,
    /// Reads as `Runtime`, only of these customers.
    LimitedRuntime(Vec<CustomerId>),
    /// Accesses the rows of these customers.
    Customers(Vec<CustomerId>),
    /// Accesses all rows. For operators, the command line, and the tail of the log.
    Platform,
}

/// What a transaction may access: the scope, and the environments within it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// The scope.
    pub scope: Scope,
    /// The environments whose rows it may access, at the customers within the scope.
    pub environments: EnvironmentFilter,
}

impl From<Scope> for Access {
    /// All environments within a scope.
    fn from(scope: Scope) -> Self {
        Self { scope, environments: EnvironmentFilter::All }
    }
}

impl Scope {
    /// Returns the tenant filter for queries under this scope.
    #[must_use]
    pub fn tenant_filter(&self) -> TenantFilter {
        match self {
            Self::Auth => TenantFilter::Only(Vec::new()),
            Self::Joining(customer) => TenantFilter::Only(vec![*customer]),
            Self::Runtime | Self::Platform => TenantFilter::All,
            Self::LimitedRuntime(customers) | Self::Customers(customers) => {
                TenantFilter::Only(customers.clone())
            }
        }
    }

    /// Returns the scope's name, and its customers as a Postgres array literal.
    fn settings(&self) -> (&'static str, String) {
        let list = |customers: &[CustomerId]| {
            customers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let (name, customers) = match self {
            Self::Auth => ("auth", String::new()),
            Self::Joining(customer) => ("auth", customer.to_string()),
            Self::Runtime => ("runtime", String::new()),
            Self::Platform => ("platform", String::new()),
            Self::LimitedRuntime(customers) => ("limited", list(customers)),
            Self::Customers(customers) => ("customers", list(customers)),
        };
        (name, format!("{{{customers}}}"))
    }
}

impl Access {
    /// Sets the isolation level and the access for the rest of a write transaction. The values are constants, UUIDs and
    /// keys of environments, so they need no quoting.
    pub(super) async fn begin_write(&self, txn: &DatabaseTransaction) -> Result<(), DbErr> {
        let ((name, customers), environments) = (self.scope.settings(), self.environments());
        let sql = format!(
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL registry.scope = '{name}'; \
             SET LOCAL registry.customers = '{customers}'; SET LOCAL registry.environments = '{environments}'"
        );
        txn.execute_unprepared(&sql).await.map(drop)
    }

    /// Sets the access for the rest of a read-only transaction. This is its first statement, which takes the
    /// snapshot. Returns the snapshot's revision.
    pub(super) async fn begin_read(&self, txn: &DatabaseTransaction) -> Result<Revision, DbErr> {
        const BEGIN: &str = "SELECT set_config('transaction_read_only', 'on', true), \
            set_config('registry.scope', $1, true), set_config('registry.customers', $2, true), \
            set_config('registry.environments', $3, true), (SELECT revision FROM registry.log_head) AS revision";
        let ((name, customers), environments) = (self.scope.settings(), self.environments());
        let values = [name.into(), customers.into(), environments.into()];
        let begin = Statement::from_sql_and_values(DbBackend::Postgres, BEGIN, values);
        let head = txn.query_one_raw(begin).await?;
        head.ok_or_else(|| DbErr::RecordNotFound("log_head".to_owned()))?.try_get("", "revision")
    }

    /// Returns the environments as a Postgres array literal. No key is `*`.
    fn environments(&self) -> String {
        match &self.environments {
            EnvironmentFilter::All => "{*}".to_owned(),
            EnvironmentFilter::Only(keys) => {
                format!("{{{}}}", keys.iter().map(EnvironmentKey::as_str).collect::<Vec<_>>().join(","))
            }
        }
    }
}
