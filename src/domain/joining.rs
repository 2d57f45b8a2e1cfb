//! How an invited person becomes a member at sign-in, and how a profile takes over the claims of its token.

use sea_orm::Set;

use super::{
    Caller, Error, Principal, Registry, Result, UserPrincipal,
    change::ChangeAction,
    identity::link,
    invitation::{Invitation, withdrawn},
    limit,
    member::{self, Membership},
    right::{GrantedTxn, OpenTxn},
    user::User,
};
use crate::{
    clock::Instant,
    db::{CallOrigin, ChangeRecord, Scope},
    entity::{invitation, membership, user},
    id::{CustomerId, UserId},
};

impl Registry {
    /// Accepts an invitation: creates or updates the profile, and makes the user a member. Does nothing when the
    /// invitation isn't open any more.
    pub(super) async fn join(
        &self,
        principal: &UserPrincipal,
        invitation: &Invitation,
        origin: &CallOrigin,
    ) -> Result<()> {
        let (customer_id, id, now) = (invitation.customer_id, invitation.id, self.clock().now());
        let who = Principal::User(principal.clone());
        let by = Caller::new(who, origin.clone());
        let principal = principal.clone();
        let join = async move |txn: OpenTxn| -> Result<()> {
            let Some((txn, customer, open)) = txn.invitation(customer_id, id).await? else { return Ok(()) };
            txn.delete(invitation::delete(id)).await?;
            let UserPrincipal { issuer, subject, .. } = &principal;
            if txn.one(user::by_subject(issuer, subject)).await?.is_none()
                && let Some(member) = linkable_member(&txn, customer_id, &open.email).await?
            {
                link(&txn, member, issuer, subject, now).await?;
                txn.act_as_user(member);
                return Ok(());
            }
            let user = profile(&txn, &principal, now).await?;
            match txn.one(membership::locked(customer_id, user)).await? {
                Some(_) => withdrawn(&txn, &open),
                None => {
                    limit::check_members(&txn, &customer).await?;
                    let role = open.role;
                    let member =
                        Membership { customer_id, user_id: user, role, created_at: now, claim_issuer: None };
                    member::enter(&txn, member).await?;
                }
            }
            Ok(())
        };
        self.run_sign_in(by, Scope::Joining(customer_id), join).await?;
        Ok(())
    }
}

/// The member of this customer with this address to whom an identity may be linked that accepts an invitation to the
/// address, locked. A member of another customer too, or an operator, isn't one: this customer's ADMINs would decide
/// who has those rights.
pub(super) async fn linkable_member(
    txn: &GrantedTxn,
    customer: CustomerId,
    email: &str,
) -> Result<Option<UserId>> {
    let Some(member) = txn.one(membership::of_email(customer, email)).await? else { return Ok(None) };
    // Locked before it is checked, so that it can't join another customer in between.
    txn.one(user::locked(member.user_id)).await?;
    let alone = txn.one(user::member_of_this_alone(member.user_id, customer)).await?;
    Ok(alone.map(|user| user.id))
}

/// The id of the user's profile, which is created if needed, and updated with the claims of its token.
pub(super) async fn profile(txn: &GrantedTxn, principal: &UserPrincipal, now: Instant) -> Result<UserId> {
    let find = || user::by_subject(&principal.issuer, &principal.subject);
    let found = match txn.one(find()).await? {
        Some(found) => found,
        None => {
            txn.make_profile(principal, now).await?;
            txn.one(find()).await?.ok_or(Error::NotFound("user"))?
        }
    };
    let id = found.id;
    take_over(txn, found, principal).await?;
    Ok(id)
}

/// Takes over the name and the verified address of a user's token, when they differ from the profile's.
pub(super) async fn take_over(txn: &GrantedTxn, profile: User, principal: &UserPrincipal) -> Result<()> {
    let id = profile.id;
    let email = principal.verified_email().map(str::to_owned).or_else(|| profile.email.clone());
    let name = principal.name.clone().or_else(|| profile.name.clone());
    if profile.email != email || profile.name != name {
        txn.update(user::ActiveModel { email: Set(email), name: Set(name), ..profile.into() }).await?;
        txn.record(ChangeRecord::platform(ChangeAction::UserUpdated).subject(id));
    }
    Ok(())
}
