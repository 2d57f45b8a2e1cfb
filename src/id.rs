//! Typed ids: a `CustomerId` is never an `AgentId`. All are UUIDs, version 7 when made here, so they sort by age.

use std::{fmt, str::FromStr};

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every typed id can do: come from a UUID and go back to one.
pub trait Id: Copy + From<Uuid> + Into<Uuid> {}

impl Id for Uuid {}

/// A text that names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID, such as 01a20326-e777-71ce-9264-eefdca7dad0e")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl Id for $name {}

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self).map_err(|_| NotAnId)
            }
        }

        // sea-orm asks it of every primary key; a UUID is never a number.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

ids! {
    /// A customer: the tenant.
    CustomerId;
    /// A user, of whatever customers.
    UserId;
    /// An agent of a customer.
    AgentId;
    /// A version of an agent.
    VersionId;
    /// One record of an agent's active version having changed.
    ActivationId;
    /// A service token.
    ServiceTokenId;
    /// An API key of a customer.
    ApiKeyId;
    /// An open invitation to work for a customer.
    InvitationId;
}
