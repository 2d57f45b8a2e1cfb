//! Typed ids, so that a `CustomerId` can't be passed as an `AgentId`. All are UUIDs. The service creates version 7,
//! which sorts by creation time. A commit has a number instead: its [`Revision`].

use std::{fmt, num::ParseIntError, str::FromStr};

use sea_orm::{
    ColIdx, DbErr, DeriveValueType, QueryResult, TryFromU64, TryGetError, TryGetable, TryGetableArray,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A typed id: converts from and to a UUID.
pub trait Id: Copy + From<Uuid> + Into<Uuid> {}

impl Id for Uuid {}

/// A text isn't a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id must be a UUID, such as 01a20326-e777-71ce-9264-eefdca7dad0e")]
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

        impl TryGetableArray for $name {
            fn try_get_by<I: ColIdx>(row: &QueryResult, column: I) -> Result<Vec<Self>, TryGetError> {
                Ok(<Vec<Uuid> as TryGetable>::try_get_by(row, column)?.into_iter().map(Self).collect())
            }
        }

        // sea-orm requires this trait of every primary key, but a UUID isn't a number.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

ids! {
    /// The id of a customer (a tenant).
    CustomerId;
    /// The id of a user, who may be a member of several customers.
    UserId;
    /// The id of an agent.
    AgentId;
    /// The id of a version of an agent.
    VersionId;
    /// The id of an environment of a customer.
    EnvironmentId;
    /// The id of an activation: the record of one change of an agent's active version.
    ActivationId;
    /// The id of a service token.
    ServiceTokenId;
    /// The id of a customer's API key.
    ApiKeyId;
    /// The id of an open invitation to become a customer's member.
    InvitationId;
    /// The id of a session of the console.
    SessionId;
    /// The id of a gateway: a process that reports what it serves, or a subscription that never reports.
    GatewayId;
    /// The id of a client's connection by websocket.
    ConnectionId;
}

/// The number of a commit. Each commit's number is one more than the one before, across all customers; the first is 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType,
)]
#[serde(transparent)]
pub struct Revision(pub i64);

impl Revision {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);
    /// After every commit.
    pub const MAX: Self = Self(i64::MAX);

    /// The number of the next commit.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// By how many commits this one is behind `other`; 0 when it isn't.
    #[must_use]
    pub fn behind(self, other: Self) -> i64 {
        other.0.saturating_sub(self.0).max(0)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Revision {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}
