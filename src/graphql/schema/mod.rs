//! What clients see: one file for each noun of the schema. A resolver takes its arguments apart, calls the domain and
//! shapes the answer. Rules and rights are in the domain.

/// The description of each mutation's `idempotencyKey`. Use it as `#[doc = idempotency_key!()]`.
macro_rules! idempotency_key {
    () => {
        "A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, repeating the\ncall \
         with this key writes nothing: the payload holds the object as it is now and the first write's revision, but\n\
         never a secret. A different input fails with IDEMPOTENCY_KEY_REUSED;\n\
         the order of keys in JSON and the form of numbers make no difference."
    };
}

pub(in crate::graphql) mod activation;
pub(in crate::graphql) mod actor;
pub(in crate::graphql) mod agent;
pub(in crate::graphql) mod api_key;
pub(in crate::graphql) mod billing;
pub(in crate::graphql) mod change;
pub(in crate::graphql) mod chart;
pub(in crate::graphql) mod config;
pub(in crate::graphql) mod customer;
pub(in crate::graphql) mod customer_event;
pub(in crate::graphql) mod diff;
pub(in crate::graphql) mod environment;
pub(in crate::graphql) mod error;
pub(in crate::graphql) mod finding;
pub(in crate::graphql) mod gateway;
pub(in crate::graphql) mod in_use;
pub(in crate::graphql) mod instance;
pub(in crate::graphql) mod invitation;
pub(in crate::graphql) mod log;
pub(in crate::graphql) mod member;
pub(in crate::graphql) mod node;
pub(in crate::graphql) mod operator;
pub(in crate::graphql) mod page;
pub(in crate::graphql) mod pinned;
pub(in crate::graphql) mod plan;
pub(in crate::graphql) mod plan_limits;
pub(in crate::graphql) mod profile;
pub(in crate::graphql) mod publish;
pub(in crate::graphql) mod scalar;
pub(in crate::graphql) mod service_token;
pub(in crate::graphql) mod service_token_list;
pub(in crate::graphql) mod session;
pub(in crate::graphql) mod subscription;
pub(in crate::graphql) mod tool;
pub(in crate::graphql) mod user;
pub(in crate::graphql) mod version;
pub(in crate::graphql) mod viewer;
pub(in crate::graphql) mod watcher;
