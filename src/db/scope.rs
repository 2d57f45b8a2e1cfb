//! Whose rows a transaction may touch: said in each query, and again to Postgres for row-level security.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::{entity::Reach, id::CustomerId};

/// The scope of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Reads who is who, before anything is known about the caller.
    Auth,
    /// Accepts an invitation of this customer: who is who, and the rows of that customer.
    Joining(CustomerId),
    /// Reads configurations of all customers, nothing personal, and writes nothing.
    Runtime,
    /// The rows of these customers.
    Customers(Vec<CustomerId>),
    /// All rows: operators, the command line, the service's own tail of the log.
    Platform,
}

impl Scope {
    /// The same, as the predicate that each query names.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Auth => Reach::Only(Vec::new()),
            Self::Joining(customer) => Reach::Only(vec![*customer]),
            Self::Runtime | Self::Platform => Reach::Everyone,
            Self::Customers(customers) => Reach::Only(customers.clone()),
        }
    }

    /// Tells Postgres, for the rest of the transaction. Names and UUIDs only, so nothing needs quoting.
    pub(super) async fn set(&self, txn: &DatabaseTransaction, mode: &str) -> Result<(), DbErr> {
        let (name, customers) = match self {
            Self::Auth => ("auth", String::new()),
            Self::Joining(customer) => ("auth", customer.to_string()),
            Self::Runtime => ("runtime", String::new()),
            Self::Platform => ("platform", String::new()),
            Self::Customers(customers) => {
                ("customers", customers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
        };
        let sql = format!(
            "SET TRANSACTION {mode}; SET LOCAL registry.scope = '{name}'; SET LOCAL registry.customers = '{{{customers}}}'"
        );
        txn.execute_unprepared(&sql).await.map(drop)
    }
}
