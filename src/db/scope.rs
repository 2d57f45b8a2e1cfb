//! Whose rows a transaction may touch: said in each query, and again to Postgres for row-level security.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use crate::{entity::Reach, id::CustomerId};

/// The scope of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

    /// Tells Postgres, for the rest of a write. Names and UUIDs only, so nothing needs quoting.
    pub(super) async fn write(&self, txn: &DatabaseTransaction) -> Result<(), DbErr> {
        let (name, customers) = self.told();
        let sql = format!(
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL registry.scope = '{name}'; \
             SET LOCAL registry.customers = '{customers}'"
        );
        txn.execute_unprepared(&sql).await.map(drop)
    }

    /// Tells Postgres, for the rest of a snapshot, which begins here. Answers where the log ends in it.
    pub(super) async fn read(&self, txn: &DatabaseTransaction) -> Result<i64, DbErr> {
        const BEGIN: &str = "SELECT set_config('transaction_read_only', 'on', true), \
            set_config('registry.scope', $1, true), set_config('registry.customers', $2, true), \
            (SELECT revision FROM registry.log_head) AS revision";
        let (name, customers) = self.told();
        let begin =
            Statement::from_sql_and_values(DbBackend::Postgres, BEGIN, [name.into(), customers.into()]);
        let head = txn.query_one_raw(begin).await?;
        head.ok_or_else(|| DbErr::RecordNotFound("log_head".to_owned()))?.try_get("", "revision")
    }

    /// Its name, and its customers as an array of Postgres.
    fn told(&self) -> (&'static str, String) {
        let (name, customers) = match self {
            Self::Auth => ("auth", String::new()),
            Self::Joining(customer) => ("auth", customer.to_string()),
            Self::Runtime => ("runtime", String::new()),
            Self::Platform => ("platform", String::new()),
            Self::Customers(customers) => {
                ("customers", customers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
        };
        (name, format!("{{{customers}}}"))
    }
}
