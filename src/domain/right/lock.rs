//! Row locks for writes, always in the order customer, agent. After each lock has been acquired, the caller's right
//! is read again. Only these functions turn an [`OpenTxn`] into a [`GrantedTxn`].

use super::{GrantedTxn, OpenTxn, WriteRight, renew_operator};
use crate::{
    db::Permit,
    domain::{
        Caller, Error, Principal, Result,
        agent::Agent,
        auth::REFUSED,
        customer::{BillingStatus, Customer, CustomerStatus},
        invitation::Invitation,
        policy::{self, Action, CustomerState},
        user::User,
    },
    entity::{TenantFilter, agent, customer, invitation, operator, user},
    id::{AgentId, CustomerId, InvitationId},
};

/// Fails when the customer's status doesn't allow this action. The platform may write to suspended and canceled
/// customers, to help them; for an erased customer, only actions are allowed that check its state themselves.
pub(in crate::domain) fn check_status(caller: &Caller, action: Action, status: CustomerStatus) -> Result<()> {
    let CustomerStatus { plan: _, billing_status, erased_at } = status;
    let why_not = match billing_status {
        BillingStatus::Trialing | BillingStatus::Active | BillingStatus::PastDue => None,
        BillingStatus::Suspended => Some(Error::Suspended),
        BillingStatus::Canceled => Some(Error::Canceled),
    };
    // Only a canceled customer can be erased.
    let erased = erased_at.map(|_| Error::Canceled);
    let refused = match action.state_needed() {
        CustomerState::Served => erased.or(why_not.filter(|_| !policy::is_platform(caller))),
        CustomerState::Kept => erased,
        CustomerState::Any => None,
    };
    refused.map_or(Ok(()), Err)
}

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
        let may = |customer| policy::allow_on(&self.caller, action, customer, "agent");
        let tenants = match self.tenant_filter() {
            TenantFilter::All => TenantFilter::All,
            TenantFilter::Only(customers) => TenantFilter::Only(
                customers.iter().copied().filter(|customer| may(*customer).is_ok()).collect(),
            ),
        };
        let Some(agent::LockedAgent { agent, status }) = self.one(agent::locked(&tenants, id)).await? else {
            let found = self.one(agent::by_ids(self.tenant_filter(), &[id])).await?;
            return Err(found
                .and_then(|found| may(found.customer_id).err())
                .unwrap_or(Error::NotFound("agent")));
        };
        let customer = agent.customer_id;
        let caller = self.reload_caller(Some(customer)).await?;
        policy::allow_on(&caller, action, customer, "agent")?;
        check_status(&caller, action, status)?;
        Ok((self.grant(caller, Permit::Customer(customer)), status, agent))
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
        if self.caller.has_expired(self.clock.now()) {
            return Err(REFUSED);
        }
        let caller = self.caller.clone();
        Ok((self.grant(caller, Permit::Profile(id)), profile))
    }
}
