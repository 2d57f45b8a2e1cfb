//! The audit log: the change log as it is read to find out who did what.

use std::collections::HashMap;

use uuid::Uuid;

pub mod chain;
mod excerpt;
mod excerpt_verifier;
mod names;
mod signed_head;
mod table;
mod verify;

pub use excerpt::Excerpt;
pub use excerpt_verifier::{ExcerptError, ExcerptReport, ExcerptVerifier};
pub use signed_head::{SignedHead, SignedHeadError};
pub use table::{ChangeRow, ChangeTable};
pub use verify::{IntegrityViolation, Progress, Report};

use super::{
    BoundedCount, Error, Page, PageArgs, Reading, Registry, Result,
    change::{ActorKind, Change, ChangeAction, Head, LogPosition, head},
    policy::Action,
};
use crate::{
    clock::Instant,
    db::View,
    entity::{
        TenantFilter,
        audit::{self, AuditScope, Filter, Parents},
        count::Counted,
        log,
    },
    id::{AgentId, CustomerId, Revision},
};

/// Filters a list of entries. `None` filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChangeFilter {
    /// Only entries about this agent.
    pub agent_id: Option<AgentId>,
    /// Only entries of this actor.
    pub actor_id: Option<Uuid>,
    /// Only entries of actors of this kind.
    pub actor_kind: Option<ActorKind>,
    /// Only these actions.
    pub actions: Option<Vec<ChangeAction>>,
    /// Only entries at this time or later.
    pub since: Option<Instant>,
    /// Only entries before this time.
    pub until: Option<Instant>,
}

/// The object that a list of entries belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditSubject {
    /// A customer: the entries about its data.
    Customer(CustomerId),
    /// An agent: the entries about it.
    Agent(AgentId),
}

/// One page for each subject.
pub type Pages = Vec<(AuditSubject, Page<Change>)>;

const ADMINS_ONLY: Error = Error::Forbidden("only ADMINs of a customer may read its audit log");

impl Registry {
    /// A page of the audit log, newest first: of this customer, or of all customers whose audit log the reader may
    /// read. For the platform that is the whole log.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] for a reader that may read no audit log.
    pub async fn changes(
        &self,
        reading: &Reading,
        customer: Option<CustomerId>,
        filter: &ChangeFilter,
        page: &PageArgs<LogPosition>,
    ) -> Result<Page<Change>> {
        let of = readable_customers(reading, customer)?;
        let filter = resolve_filter(&reading.view, filter).await?;
        let rows = reading.view.all(audit::page(&of, &filter, &page.keyset_page())).await?;
        Ok(page.page(rows))
    }

    /// The end of the log in this snapshot, for a reader that may read an audit log.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a reader that may read no audit log.
    pub async fn audit_head(&self, reading: &Reading) -> Result<Head> {
        readable_customers(reading, None)?;
        head(&reading.view).await
    }

    /// How many entries the list of [`Registry::changes`] has.
    ///
    /// # Errors
    /// As [`Registry::changes`].
    pub async fn count_changes(
        &self,
        reading: &Reading,
        customer: Option<CustomerId>,
        filter: &ChangeFilter,
    ) -> Result<BoundedCount> {
        let of = readable_customers(reading, customer)?;
        let filter = resolve_filter(&reading.view, filter).await?;
        let row = reading.view.one(audit::count(&of, &filter)).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }

    /// The same page of entries for each of these subjects. Empty where the reader may not read the audit log.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a reader that may read no audit log.
    pub async fn changes_of_each(
        &self,
        reading: &Reading,
        subjects: &[AuditSubject],
        filter: &ChangeFilter,
        page: &PageArgs<LogPosition>,
    ) -> Result<Pages> {
        let tenants = reading.tenant_filter(Action::ReadChanges)?;
        let filter = resolve_filter(&reading.view, filter).await?;
        let (customers, agents) = split_subjects(subjects);
        let mut pages = Vec::with_capacity(subjects.len());
        if !customers.is_empty() {
            let parents = Parents::Customers(&customers);
            let rows =
                reading.view.all(audit::page_each(&tenants, parents, &filter, &page.keyset_page())).await?;
            let of = |row: &Change| row.customer_id.map(AuditSubject::Customer);
            pages.extend(pages_by_subject(
                customers.iter().copied().map(AuditSubject::Customer),
                rows,
                of,
                &tenants,
                page,
            ));
        }
        if !agents.is_empty() {
            let parents = Parents::Agents(&agents);
            let rows =
                reading.view.all(audit::page_each(&tenants, parents, &filter, &page.keyset_page())).await?;
            let of = |row: &Change| row.agent_id.map(AuditSubject::Agent);
            pages.extend(pages_by_subject(
                agents.iter().copied().map(AuditSubject::Agent),
                rows,
                of,
                &tenants,
                page,
            ));
        }
        Ok(pages)
    }

    /// How many entries the list of each of these subjects has.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a reader that may read no audit log.
    pub async fn count_changes_of_each(
        &self,
        reading: &Reading,
        subjects: &[AuditSubject],
        filter: &ChangeFilter,
    ) -> Result<Vec<(AuditSubject, BoundedCount)>> {
        let tenants = reading.tenant_filter(Action::ReadChanges)?;
        let filter = resolve_filter(&reading.view, filter).await?;
        let (mut customers, agents) = split_subjects(subjects);
        customers.retain(|customer| tenants.admits(*customer));
        let mut counts = Vec::with_capacity(subjects.len());
        for parents in [Parents::Customers(&customers), Parents::Agents(&agents)] {
            for row in reading.view.all(audit::count_each(&tenants, parents, &filter)).await? {
                counts.extend(row.parent_id.map(|id| (subject(parents, id), row.bounded())));
            }
        }
        Ok(counts)
    }
}

/// The filter with times replaced by revisions, which have an index. Revisions and times have the same order.
pub(super) async fn resolve_filter(view: &View, filter: &ChangeFilter) -> Result<Filter> {
    let ChangeFilter { agent_id, actor_id, actor_kind, actions, since, until } = filter;
    Ok(Filter {
        agent_id: *agent_id,
        actor_id: *actor_id,
        actor_kind: *actor_kind,
        actions: actions.clone(),
        from: first_revision_since(view, *since).await?,
        until: first_revision_since(view, *until).await?,
    })
}

/// The first revision at this time or later; [`Revision::MAX`] when there is none yet.
async fn first_revision_since(view: &View, at: Option<Instant>) -> Result<Option<Revision>> {
    let Some(at) = at else { return Ok(None) };
    let first = view.one(log::first_commit_since(at)).await?.and_then(|since| since.revision);
    Ok(Some(first.unwrap_or(Revision::MAX)))
}

/// The customers whose entries the reader may read, of this customer or of all.
pub(super) fn readable_customers(reading: &Reading, customer: Option<CustomerId>) -> Result<AuditScope> {
    if let Some(customer) = customer {
        reading.allow_on(Action::ReadChanges, customer, "customer")?;
        return Ok(AuditScope::Customers(vec![customer]));
    }
    match reading.tenant_filter(Action::ReadChanges)? {
        TenantFilter::Only(customers) if customers.is_empty() => Err(ADMINS_ONLY),
        TenantFilter::Only(customers) => Ok(AuditScope::Customers(customers)),
        TenantFilter::All => Ok(AuditScope::Everyone),
    }
}

fn split_subjects(subjects: &[AuditSubject]) -> (Vec<CustomerId>, Vec<AgentId>) {
    let (mut customers, mut agents) = (Vec::new(), Vec::new());
    for subject in subjects {
        match subject {
            AuditSubject::Customer(id) => customers.push(*id),
            AuditSubject::Agent(id) => agents.push(*id),
        }
    }
    (customers, agents)
}

fn subject(parents: Parents<'_>, id: Uuid) -> AuditSubject {
    match parents {
        Parents::Customers(_) => AuditSubject::Customer(id.into()),
        Parents::Agents(_) => AuditSubject::Agent(id.into()),
    }
}

/// Groups rows that were read for many subjects into one page for each, without rows that the reader may not see.
fn pages_by_subject(
    subjects: impl Iterator<Item = AuditSubject>,
    rows: Vec<Change>,
    of: impl Fn(&Change) -> Option<AuditSubject>,
    tenants: &TenantFilter,
    page: &PageArgs<LogPosition>,
) -> Pages {
    let mut groups: HashMap<AuditSubject, Vec<Change>> = HashMap::new();
    for row in rows {
        if let Some(subject) = of(&row).filter(|_| row.customer_id.is_some_and(|id| tenants.admits(id))) {
            groups.entry(subject).or_default().push(row);
        }
    }
    subjects.map(|subject| (subject, page.page(groups.remove(&subject).unwrap_or_default()))).collect()
}
