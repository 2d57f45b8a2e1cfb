//! The names of the values of the audit log's enums, as the schema has them, for other interfaces.

use async_graphql::resolver_utils::EnumType;

use super::{ActorKind, ChangeAction, Channel};
use crate::domain::change;

/// The name of a kind of change.
#[must_use]
pub fn action_name(action: change::ChangeAction) -> &'static str {
    name(ChangeAction::from(action))
}

/// The kind of change with this name.
#[must_use]
pub fn action_named(name: &str) -> Option<change::ChangeAction> {
    named::<ChangeAction>(name).map(Into::into)
}

/// The name of a kind of caller.
#[must_use]
pub fn actor_kind_name(kind: change::ActorKind) -> &'static str {
    name(ActorKind::from(kind))
}

/// The kind of caller with this name.
#[must_use]
pub fn actor_kind_named(name: &str) -> Option<change::ActorKind> {
    named::<ActorKind>(name).map(Into::into)
}

/// The name of a channel.
#[must_use]
pub fn channel_name(channel: change::Channel) -> &'static str {
    name(Channel::from(channel))
}

fn name<T: EnumType>(value: T) -> &'static str {
    // Each value is in the list.
    T::items().iter().find(|item| item.value == value).map_or("", |item| item.name)
}

fn named<T: EnumType>(name: &str) -> Option<T> {
    T::items().iter().find(|item| item.name == name).map(|item| item.value)
}
