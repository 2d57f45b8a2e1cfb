//! Reads activations: by id, and the lists of all, of a customer and of an agent.

use super::{Activation, ActivationFilter, ActivationKind};
use crate::{
    domain::{
        BoundedCount, Error, InputErrors, Page, PageArgs, Reading, Registry, Result,
        environment::{EnvironmentKey, keys_or_default},
        page_each,
        policy::{self, Action},
        visible, zero_filled,
    },
    entity::{activation, count::Counted},
    id::{ActivationId, AgentId, CustomerId, Revision, VersionId},
};

/// The filter of a list of activations, from its arguments: the default environment alone, and each kind, if they are
/// left out.
///
/// # Errors
/// [`Error::Invalid`] for a wrong key, and for an empty list.
pub fn activation_filter(
    environments: Option<&[String]>,
    reasons: Option<Vec<ActivationKind>>,
) -> Result<ActivationFilter> {
    let mut errors = InputErrors::default();
    let environments = errors.take(keys_or_default("environments", environments)).unwrap_or_default();
    let kinds = match reasons {
        None => ActivationKind::ALL.to_vec(),
        Some(named) => {
            if named.is_empty() {
                let message = "reasons must name a reason; leave it out for all reasons";
                errors.note(Err(Error::invalid("reasons", message)));
            }
            ActivationKind::ALL.into_iter().filter(|kind| named.contains(kind)).collect()
        }
    };
    errors.and(Ok(ActivationFilter { environments, kinds }))
}

impl Registry {
    /// The activations with these ids that the reader may see. For references from other objects.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn activations_by_ids(
        &self,
        reading: &Reading,
        ids: &[ActivationId],
    ) -> Result<Vec<Activation>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        Ok(reading.view.all(activation::by_ids(&tenants, &reach, ids)).await?)
    }

    /// For each of these agents, the same page of activations in these environments, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn activations_of_each(
        &self,
        reading: &Reading,
        agents: &[AgentId],
        environments: &[EnvironmentKey],
        page: &PageArgs<ActivationId>,
    ) -> Result<Vec<(AgentId, Page<Activation>)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let reached = reached(reading, environments);
        let mut rows = reading.view.all(activation::page_each(agents, &reached, &page.keyset_page())).await?;
        rows.retain(|activation| reading.view.tenant_filter().admits(activation.customer_id));
        Ok(page_each(agents, rows, |activation| activation.agent_id, page))
    }

    /// For each of these agents, how many activations it has in these environments.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn count_activations_of_each(
        &self,
        reading: &Reading,
        agents: &[AgentId],
        environments: &[EnvironmentKey],
    ) -> Result<Vec<(AgentId, BoundedCount)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let (tenants, reached) = (reading.view.tenant_filter(), reached(reading, environments));
        let rows = reading.view.all(activation::count_each(&tenants, agents, &reached)).await?;
        Ok(zero_filled(agents, rows))
    }

    /// The activation of this version of an agent by this commit, if the reader may see it. For payloads.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn activation_of_commit(
        &self,
        reading: &Reading,
        version: (AgentId, VersionId),
        revision: Revision,
    ) -> Result<Option<Activation>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        Ok(reading.view.one(activation::of_commit(&tenants, &reach, version, revision)).await?)
    }

    /// A page of the activations that the reader may see and that pass the filter, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn activations(
        &self,
        reading: &Reading,
        filter: &ActivationFilter,
        page: &PageArgs<ActivationId>,
    ) -> Result<Page<Activation>> {
        let tenants = reading.tenant_filter(Action::ReadAgents)?;
        let select = activation::page(&tenants, &within_reach(reading, filter), &page.keyset_page());
        Ok(page.page(reading.view.all(select).await?))
    }

    /// How many activations the list of [`Registry::activations`] has.
    ///
    /// # Errors
    /// As [`Registry::activations`].
    pub async fn count_activations(
        &self,
        reading: &Reading,
        filter: &ActivationFilter,
    ) -> Result<BoundedCount> {
        let tenants = reading.tenant_filter(Action::ReadAgents)?;
        let row = reading.view.one(activation::count(&tenants, &within_reach(reading, filter))).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }

    /// For each of these customers, the same page of activations that pass the filter, newest first.
    ///
    /// # Errors
    /// As [`Registry::activations`].
    pub async fn activations_of_each_customer(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        filter: &ActivationFilter,
        page: &PageArgs<ActivationId>,
    ) -> Result<Vec<(CustomerId, Page<Activation>)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let visible = visible(reading, customers, |id| *id);
        let filter = within_reach(reading, filter);
        let select = activation::page_each_customer(&visible, &filter, &page.keyset_page());
        let rows = reading.view.all(select).await?;
        Ok(page_each(customers, rows, |activation| activation.customer_id, page))
    }

    /// For each of these customers, how many activations pass the filter.
    ///
    /// # Errors
    /// As [`Registry::activations`].
    pub async fn count_activations_of_each_customer(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        filter: &ActivationFilter,
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let visible = visible(reading, customers, |id| *id);
        let select = activation::count_each_customer(&visible, &within_reach(reading, filter));
        Ok(zero_filled(customers, reading.view.all(select).await?))
    }
}

/// Those of these environments that the reader reaches.
fn reached(reading: &Reading, environments: &[EnvironmentKey]) -> Vec<EnvironmentKey> {
    let reach = reading.view.environment_filter();
    environments.iter().filter(|key| reach.admits(key)).cloned().collect()
}

/// The filter, with the environments alone that the reader reaches.
fn within_reach(reading: &Reading, filter: &ActivationFilter) -> ActivationFilter {
    let ActivationFilter { environments, kinds } = filter;
    ActivationFilter { environments: reached(reading, environments), kinds: kinds.clone() }
}
