//! Log entries for the tests of what follows the log.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    clock::Clock,
    domain::change::{ActorKind, Change, ChangeAction},
    id::Revision,
};

/// An entry with this action, customer and subject; all other fields are empty.
pub(super) fn change(action: ChangeAction, customer: Option<Uuid>, subject: Option<Uuid>) -> Arc<Change> {
    Arc::new(Change {
        revision: Revision(1),
        position: 1,
        at: Clock::default().now(),
        customer_id: customer.map(Into::into),
        agent_id: None,
        version_id: None,
        subject_id: subject,
        action,
        actor_kind: ActorKind::System,
        actor_id: None,
        request_id: None,
        details: "{}".to_owned(),
        channel: None,
        network: None,
        salt: None,
        row_hash: Vec::new(),
        chain_hash: Vec::new(),
    })
}
