//! Rows that are locked for a write, always in this order: the customer, then the agent. Each lock reads the caller's right
//! again, after it has waited, and is the only way to a transaction that writes.

use super::{GrantedTxn, OpenTxn, WriteRight, renew_operator};
use crate::{
    db::Permit,
    domain::{
        Caller, Error, Result,
        agent::Agent,
        auth::REFUSED,
        customer::{BillingStatus, Customer, Standing},
        invitation::Invitation,
        policy::{self, Action, CustomerState},
    },
    entity::{Reach, agent as agent_row, customer as customer_row, invitation as invitation_row, operator},
    id::{AgentId, CustomerId, InvitationId},
};

/// Refuses what may not be done to a customer that stands so. Operators write to suspended and canceled customers, to help
/// them; nobody writes to an erased one.
pub(in crate::domain) fn refuse_state(caller: &Caller, action: Action, standing: Standing) -> Result<()> {
    let Standing { plan: _, billing_status, erased_at } = standing;
    let is_served = match billing_status {
        BillingStatus::Trialing | BillingStatus::Active | BillingStatus::PastDue => true,
        BillingStatus::Suspended | BillingStatus::Canceled => false,
    };
    let fits = match action.state_needed() {
        CustomerState::Served => erased_at.is_none() && (is_served || policy::is_platform(caller)),
        CustomerState::Kept => erased_at.is_none(),
        CustomerState::Any => true,
    };
    if fits { Ok(()) } else { Err(Error::Suspended) }
}

impl OpenTxn {
    /// Locks a customer against all other writers of what it has, so that two that count at once serialize.
    ///
    /// # Errors
    /// [`Error::NotFound`] for `what`, [`Error::Forbidden`], [`Error::Unauthenticated`], [`Error::Suspended`].
    pub(in crate::domain) async fn customer(
        self,
        action: Action,
        id: CustomerId,
        what: &'static str,
    ) -> Result<(GrantedTxn, Customer)> {
        // A caller that never had the right waits for nobody, and nobody waits for it.
        policy::allow_on(&self.caller, action, id, what)?;
        let found = self.one(customer_row::locked(self.reach(), id)).await?.ok_or(Error::NotFound(what))?;
        let caller = self.renewed(Some(id)).await?;
        policy::allow_on(&caller, action, id, what)?;
        refuse_state(&caller, action, found.standing())?;
        Ok((self.grant(caller, Permit::Customer(id)), found))
    }

    /// Locks an agent against other writers of it, and before that its customer, which other writers of its agents share.
    /// Locks nothing for a caller that never had the right.
    ///
    /// # Errors
    /// As [`OpenTxn::customer`], about the agent.
    pub(in crate::domain) async fn agent(
        self,
        action: Action,
        id: AgentId,
    ) -> Result<(GrantedTxn, Standing, Agent)> {
        let may = |customer| policy::allow_on(&self.caller, action, customer, "agent");
        let reach = match self.reach() {
            Reach::Everyone => Reach::Everyone,
            Reach::Only(customers) => {
                Reach::Only(customers.iter().copied().filter(|customer| may(*customer).is_ok()).collect())
            }
        };
        let Some(agent_row::Locked { agent, standing }) = self.one(agent_row::locked(&reach, id)).await?
        else {
            let found = self.one(agent_row::by_ids(self.reach(), &[id])).await?;
            return Err(found
                .and_then(|found| may(found.customer_id).err())
                .unwrap_or(Error::NotFound("agent")));
        };
        let customer = agent.customer_id;
        let caller = self.renewed(Some(customer)).await?;
        policy::allow_on(&caller, action, customer, "agent")?;
        refuse_state(&caller, action, standing)?;
        Ok((self.grant(caller, Permit::Customer(customer)), standing, agent))
    }

    /// Grants a write to what is no customer's, or to one that is only being made.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Unauthenticated`].
    pub(in crate::domain) async fn platform(self, action: Action) -> Result<GrantedTxn> {
        let caller = self.renewed(None).await?;
        policy::allow(&caller, action)?;
        Ok(self.grant(caller, Permit::Platform))
    }

    /// Locks an operator that is to be removed, and with it the operator who asks: in one statement and one order, or two who
    /// remove each other would wait for each other. Says whether there was one.
    ///
    /// # Errors
    /// As [`OpenTxn::platform`].
    pub(in crate::domain) async fn operator(
        self,
        action: Action,
        issuer: &str,
        subject: &str,
    ) -> Result<(GrantedTxn, bool)> {
        let mut names = vec![(issuer.to_owned(), subject.to_owned())];
        let own = match WriteRight::of(&self.caller.principal)? {
            WriteRight::Operator { issuer, subject } => Some((issuer, subject)),
            WriteRight::System | WriteRight::Member(_) | WriteRight::ApiKey(_) => None,
        };
        names.extend(own.clone());
        let rows = self.txn.all(operator::locked(&names)).await?;
        let has = |(issuer, subject): (&str, &str)| {
            rows.iter().any(|row| row.issuer == issuer && row.subject == subject)
        };
        let mut caller = self.caller.clone();
        if let Some((issuer, subject)) = &own {
            renew_operator(&mut caller, has((issuer, subject)))?;
        }
        if caller.has_expired(self.clock.now()) {
            return Err(REFUSED);
        }
        policy::allow(&caller, action)?;
        let was = has((issuer, subject));
        Ok((self.grant(caller, Permit::Platform), was))
    }

    /// Locks the customer that has invited the caller, then the invitation. None when it is not open any more.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthenticated`], [`Error::Suspended`].
    pub(in crate::domain) async fn invitation(
        self,
        customer: CustomerId,
        id: InvitationId,
    ) -> Result<Option<(GrantedTxn, Invitation)>> {
        let locked = self.one(customer_row::locked(self.reach(), customer)).await?;
        let standing = locked.ok_or(Error::NotFound("customer"))?.standing();
        refuse_state(&self.caller, Action::ManageMembers, standing)?;
        let now = self.clock.now();
        if self.caller.has_expired(now) {
            return Err(REFUSED);
        }
        let open = self.one(invitation_row::locked(self.reach(), id)).await?;
        let caller = self.caller.clone();
        Ok(open
            .filter(|open| open.expires_at > now)
            .map(|open| (self.grant(caller, Permit::Customer(customer)), open)))
    }
}
