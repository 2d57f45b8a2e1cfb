//! Row locks for writes, always in the order customer, agent, serving. After each lock has been acquired, the caller's right
//! is read again. Only these functions turn an [`OpenTxn`] into a [`GrantedTxn`].

use sea_orm::{SelectModel, SelectorRaw};

use super::{GrantedTxn, OpenTxn, WriteRight, renew_operator};
use crate::{
    db::Permit,
    domain::{
        Error, Principal, Result,
        agent::Agent,
        auth::REFUSED,
        customer::{Customer, CustomerStatus},
        environment::{Environment, EnvironmentKey},
        invitation::Invitation,
        permission::check_status,
        policy::{self, Action},
        serving::LockedServing,
        session::SignInLink,
        user::User,
    },
    entity::{
        TenantFilter, agent, customer, environment, invitation, operator,
        serving::{self, AgentLock},
        sign_in_link, user,
    },
    id::{AgentId, CustomerId, InvitationId},
};

impl OpenTxn {
    /// Locks a customer exclusively against all other writers of its data, so that concurrent quota checks serialise.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `what`, [`Error::Forbidden`], [`Error::Unauthenticated`], [`Error::Suspended`],
    /// [`Error::Canceled`].
    pub(in crate::domain) async fn customer(
        self,
        action: Action,
        id: CustomerId,
        what: &'static str,
    ) -> Result<(GrantedTxn, Customer)> {
        // Checked before locking too: a caller without the right must neither wait for others nor make them wait.
        policy::allow_on(&self.caller, action, id, what)?;
        let found =
            self.one(customer::locked(self.tenant_filter(), id)).await?.ok_or(Error::NotFound(what))?;
        let caller = self.reload_caller(Some(id)).await?;
        policy::allow_on(&caller, action, id, what)?;
        check_status(&caller, action, found.status())?;
        Ok((self.grant(caller, Permit::Customer(id)), found))
    }

    /// Locks an agent against other writers of it. Before that, locks its customer in a shared mode: writers of its
    /// other agents don't wait. Locks nothing for a caller that never had the right.
    ///
    /// # Errors
    /// As [`OpenTxn::customer`], about the agent.
    pub(in crate::domain) async fn agent(
        self,
        action: Action,
        id: AgentId,
    ) -> Result<(GrantedTxn, CustomerStatus, Agent)> {
        self.agent_by(action, id, agent::locked).await
    }

    async fn agent_by(
        self,
        action: Action,
        id: AgentId,
        select: impl Fn(&TenantFilter, AgentId) -> SelectorRaw<SelectModel<agent::LockedAgent>>,
    ) -> Result<(GrantedTxn, CustomerStatus, Agent)> {
        let found = self.one(select(&self.tenants_that_allow(action), id)).await?;
        let Some(agent::LockedAgent { agent, status }) = found else {
            return Err(self.why_no_agent(action, id).await?.unwrap_or(Error::NotFound("agent")));
        };
        let txn = self.grant_on(action, agent.customer_id, status).await?;
        Ok((txn, status, agent))
    }

    /// The customers at which the caller had this right when the request began. Nothing of others is locked.
    fn tenants_that_allow(&self, action: Action) -> TenantFilter {
        let may = |customer: &CustomerId| policy::allow_on(&self.caller, action, *customer, "agent").is_ok();
        match self.tenant_filter() {
            TenantFilter::All => TenantFilter::All,
            TenantFilter::Only(customers) => {
                TenantFilter::Only(customers.iter().copied().filter(may).collect())
            }
        }
    }

    /// Why an agent wasn't locked: it doesn't exist, or the caller has no right. `None` if it exists and the caller has the right.
    async fn why_no_agent(&self, action: Action, id: AgentId) -> Result<Option<Error>> {
        let found = self.one(agent::by_ids(self.tenant_filter(), &[id])).await?;
        let Some(found) = found else { return Ok(Some(Error::NotFound("agent"))) };
        Ok(policy::allow_on(&self.caller, action, found.customer_id, "agent").err())
    }

    /// Reads the caller's right again, after the customer was locked.
    async fn grant_on(
        self,
        action: Action,
        customer: CustomerId,
        status: CustomerStatus,
    ) -> Result<GrantedTxn> {
        let caller = self.reload_caller(Some(customer)).await?;
        policy::allow_on(&caller, action, customer, "agent")?;
        check_status(&caller, action, status)?;
        Ok(self.grant(caller, Permit::Customer(customer)))
    }

    /// Locks an agent for its archiving, which ends serving in all environments: against all other writers, also those
    /// of [`OpenTxn::serving`].
    ///
    /// # Errors
    /// As [`OpenTxn::agent`].
    pub(in crate::domain) async fn whole_agent(
        self,
        action: Action,
        id: AgentId,
    ) -> Result<(GrantedTxn, CustomerStatus, Agent)> {
        self.agent_by(action, id, agent::locked_whole).await
    }

    /// Locks what an agent serves in the environment with this key, against other writers of it. Before that, locks its
    /// customer in a shared mode, which keeps the environment as it is, and the agent: against other writers of it if
    /// `lock` says so or the environment is the default one, else only against its archiving. So writers of two
    /// environments don't wait for each other.
    ///
    /// # Errors
    /// As [`OpenTxn::agent`]; [`Error::NotFound`] for an environment that the customer doesn't have or the caller doesn't
    /// reach, and for an archived one.
    pub(in crate::domain) async fn serving(
        self,
        action: Action,
        id: AgentId,
        key: &EnvironmentKey,
        lock: AgentLock,
    ) -> Result<(GrantedTxn, CustomerStatus, LockedServing)> {
        let (txn, status, agent, environment) = self.place(action, id, key, lock).await?;
        let place = lock_serving(&txn, agent, environment, lock).await?;
        Ok((txn, status, place))
    }

    /// Locks what an agent serves in two environments, as [`OpenTxn::serving`] does in one: `to`, and the one with the
    /// key `from`, which is returned second.
    ///
    /// # Errors
    /// As [`OpenTxn::serving`].
    pub(in crate::domain) async fn two_servings(
        self,
        action: Action,
        id: AgentId,
        (to, from): (&EnvironmentKey, &EnvironmentKey),
    ) -> Result<(GrantedTxn, LockedServing, LockedServing)> {
        // The agent's row is that of the default environment, and is locked before any other one.
        let lock = if from.is_default() { AgentLock::Changed } else { AgentLock::Kept };
        let (txn, _, agent, to) = self.place(action, id, to, lock).await?;
        let select = environment::by_key(agent.customer_id, txn.environment_filter(), from);
        let from = txn.one(select).await?.filter(|from| from.archived_at.is_none());
        let from = from.ok_or(Error::NotFound("environment"))?;
        // In one order, or two promotions in opposite directions would deadlock.
        if from.id < to.id {
            let from = lock_serving(&txn, agent.clone(), from, lock).await?;
            let to = lock_serving(&txn, agent, to, lock).await?;
            Ok((txn, to, from))
        } else {
            let to = lock_serving(&txn, agent.clone(), to, lock).await?;
            let from = lock_serving(&txn, agent, from, lock).await?;
            Ok((txn, to, from))
        }
    }

    async fn place(
        self,
        action: Action,
        id: AgentId,
        key: &EnvironmentKey,
        lock: AgentLock,
    ) -> Result<(GrantedTxn, CustomerStatus, Agent, Environment)> {
        let lock = if key.is_default() { AgentLock::Changed } else { lock };
        let tenants = self.tenants_that_allow(action);
        let select = serving::locked_place(&tenants, self.environment_filter(), id, key, lock);
        let Some(found) = self.one(select).await? else {
            let missing = self.why_no_agent(action, id).await?;
            return Err(missing.unwrap_or(Error::NotFound("environment")));
        };
        let serving::LockedPlace { agent, status, environment } = found;
        let txn = self.grant_on(action, agent.customer_id, status).await?;
        if environment.archived_at.is_some() {
            return Err(Error::NotFound("environment"));
        }
        Ok((txn, status, agent, environment))
    }

    /// Grants a write to the platform's own data, or the creation of a customer.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Unauthenticated`].
    pub(in crate::domain) async fn platform(self, action: Action) -> Result<GrantedTxn> {
        let caller = self.reload_caller(None).await?;
        policy::allow(&caller, action)?;
        Ok(self.grant(caller, Permit::Platform))
    }

    /// Locks the operator to remove and, if the caller is an operator, the caller's own row. Both are locked by one
    /// statement in one order, or two operators who remove each other would deadlock. Also returns whether the
    /// operator exists.
    ///
    /// # Errors
    /// As [`OpenTxn::platform`].
    pub(in crate::domain) async fn operator(
        self,
        action: Action,
        issuer: &str,
        subject: &str,
    ) -> Result<(GrantedTxn, bool)> {
        let own = match WriteRight::of(&self.caller.principal)? {
            WriteRight::Operator(person) => Some(person),
            WriteRight::System | WriteRight::Member(_) | WriteRight::ApiKey(_) => None,
        };
        let rows = self.txn.all(operator::locked(issuer, subject, own.as_ref())).await?;
        let was = rows.iter().any(|row| row.issuer == issuer && row.subject == subject);
        self.hold_session().await?;
        let mut caller = self.caller.clone();
        if let Some(person) = &own {
            renew_operator(&mut caller, self.txn.one(operator::of_person(person)).await?.is_some())?;
        }
        if caller.has_expired(self.clock.now()) {
            return Err(REFUSED);
        }
        policy::allow(&caller, action)?;
        Ok((self.grant(caller, Permit::Platform), was))
    }

    /// Locks all operators against adding and removing. Returns them.
    ///
    /// # Errors
    /// As [`OpenTxn::platform`].
    pub(in crate::domain) async fn operators(
        self,
        action: Action,
    ) -> Result<(GrantedTxn, Vec<operator::Model>)> {
        policy::allow(&self.caller, action)?;
        let rows = self.txn.all(operator::locked_all()).await?;
        let txn = self.platform(action).await?;
        Ok((txn, rows))
    }

    /// Locks the customer that has invited the caller, then the invitation. `None` when the invitation isn't open any
    /// more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthenticated`], [`Error::Suspended`],
    /// [`Error::Canceled`].
    pub(in crate::domain) async fn invitation(
        self,
        customer: CustomerId,
        id: InvitationId,
    ) -> Result<Option<(GrantedTxn, Customer, Invitation)>> {
        let locked = self.one(customer::locked(self.tenant_filter(), customer)).await?;
        let locked = locked.ok_or(Error::NotFound("customer"))?;
        check_status(&self.caller, Action::ManageMembers, locked.status())?;
        let now = self.clock.now();
        if self.caller.has_expired(now) {
            return Err(REFUSED);
        }
        let open = self.one(invitation::locked(self.tenant_filter(), id)).await?;
        let caller = self.caller.clone();
        Ok(open
            .filter(|open| open.expires_at > now)
            .map(|open| (self.grant(caller, Permit::Customer(customer)), locked, open)))
    }

    /// Locks the customer at which the claims of the caller's token give a membership, or give none any more. The claims
    /// are the right: the token has been verified.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthenticated`]; [`Error::Suspended`] when the customer's status doesn't allow
    /// `action`.
    pub(in crate::domain) async fn claimed_membership(
        self,
        action: Action,
        customer: CustomerId,
    ) -> Result<(GrantedTxn, Customer)> {
        let locked = self.one(customer::locked(self.tenant_filter(), customer)).await?;
        let locked = locked.ok_or(Error::NotFound("customer"))?;
        check_status(&self.caller, action, locked.status())?;
        if self.caller.has_expired(self.clock.now()) {
            return Err(REFUSED);
        }
        let caller = self.caller.clone();
        Ok((self.grant(caller, Permit::Customer(customer)), locked))
    }

    /// Locks the one-time address with this hash and the profile of its user. The address is the right: with one that makes
    /// an operator, for the platform, else for the profile. `None` when it isn't open: unknown, spent or expired.
    ///
    /// # Errors
    /// Any error of the database.
    pub(in crate::domain) async fn sign_in_link(
        self,
        secret_hash: &[u8],
    ) -> Result<Option<(GrantedTxn, SignInLink, User)>> {
        let Some(link) = self.one(sign_in_link::locked(secret_hash)).await? else { return Ok(None) };
        if link.spent_at.is_some() || link.expires_at <= self.clock.now() {
            return Ok(None);
        }
        let profile = self.one(user::locked_profile(link.user_id)).await?.ok_or(Error::NotFound("user"))?;
        let permit = if link.makes_operator { Permit::Platform } else { Permit::Profile(profile.id) };
        let caller = self.caller.clone();
        Ok(Some((self.grant(caller, permit), link, profile)))
    }

    /// Locks the caller's own profile.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the caller has none; [`Error::Unauthenticated`].
    pub(in crate::domain) async fn own_profile(self) -> Result<(GrantedTxn, User)> {
        let Principal::User(principal) = &self.caller.principal else {
            return Err(Error::Forbidden("only a person has a profile"));
        };
        let found = self.one(user::by_subject(&principal.issuer, &principal.subject)).await?;
        let id = found.ok_or(Error::NotFound("profile"))?.id;
        let profile = self.one(user::locked_profile(id)).await?.ok_or(Error::NotFound("profile"))?;
        self.hold_session().await?;
        if self.caller.has_expired(self.clock.now()) {
            return Err(REFUSED);
        }
        let caller = self.caller.clone();
        Ok((self.grant(caller, Permit::Profile(id)), profile))
    }
}

/// Locks the row of an agent in an environment. The default environment's is the agent's own, which is locked already.
async fn lock_serving(
    txn: &GrantedTxn,
    agent: Agent,
    environment: Environment,
    lock: AgentLock,
) -> Result<LockedServing> {
    if environment.is_default {
        return Ok(LockedServing::of(agent, environment, None));
    }
    let locked = || serving::locked(agent.id, environment.id);
    let mut row = txn.one(locked()).await?;
    if row.is_none() && lock == AgentLock::Kept {
        // There is no row to lock yet: the agent's orders those who write the first one.
        txn.one(agent::locked(txn.tenant_filter(), agent.id)).await?;
        row = txn.one(locked()).await?;
    }
    Ok(LockedServing::of(agent, environment, row))
}
