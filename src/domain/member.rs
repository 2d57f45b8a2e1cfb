//! Members: which user is a member of which customer, and in which role.

use sea_orm::Set;
use serde_json::{Value, json};

use super::{
    BoundedCount, Caller, Error, Input, Outcome, Page, PageArgs, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    email::normalize_email,
    idempotency::{ReplayIds, Replayable},
    limit::{self, QuotaKind},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    user::User,
};
use crate::{
    db::{ChangeRecord, Scope},
    entity::{change::last_of_row, membership, user},
    id::{CustomerId, UserId},
};

pub use membership::{Model as Membership, Role};

/// A membership to create or to change.
#[derive(Clone, Debug)]
pub struct SetMember {
    /// The customer.
    pub customer_id: CustomerId,
    /// The issuer of the user's tokens.
    pub issuer: String,
    /// The user's name at the issuer; 1 to 255 characters.
    pub subject: String,
    /// The user's e-mail address, used when a profile has to be created.
    pub email: Option<String>,
    /// The user's display name, used when a profile has to be created.
    pub name: Option<String>,
    /// The role at this customer.
    pub role: Role,
}

/// A member to add by its name at an issuer.
#[derive(Clone, Debug)]
pub struct AddMember {
    /// The customer.
    pub customer_id: CustomerId,
    /// The issuer of the user's tokens; the only one when `None`.
    pub issuer: Option<String>,
    /// The user's name at the issuer; 1 to 255 characters.
    pub subject: String,
    /// The role at this customer.
    pub role: Role,
}

/// A member's new role.
#[derive(Clone, Debug)]
pub struct ChangeMemberRole {
    /// The customer.
    pub customer_id: CustomerId,
    /// The member's user.
    pub user_id: UserId,
    /// The new role.
    pub role: Role,
}

impl Replayable for Membership {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.user_id).and(self.customer_id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let customer = subject.customer(txn, Action::ManageMembers, "member").await?;
        txn.one(membership::of(customer, subject.id.into())).await?.ok_or(Error::NotFound("member"))
    }
}

/// A member that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The user.
    pub user_id: UserId,
    /// The customer.
    pub customer_id: CustomerId,
}

impl Replayable for Removed {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.user_id).and(self.customer_id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let customer_id = subject.customer(txn, Action::RemoveMembers, "member").await?;
        Ok(Self { user_id: subject.id.into(), customer_id })
    }
}

impl Registry {
    /// Makes a user a member, or gives a member another role, without an invitation. Creates the user's profile if
    /// there is none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is the platform, [`Error::NotFound`], [`Error::Invalid`],
    /// [`Error::LimitReached`], [`Error::LastAdmin`].
    pub async fn set_member(&self, caller: &Caller, input: SetMember) -> Result<WriteResult<Membership>> {
        policy::allow(caller, Action::ManagePlatform)?;
        super::user::check_subject(&input.subject)?;
        let email = input.email.as_deref().map(normalize_email).transpose()?;
        self.place_member(caller, caller.scope(), SetMember { email, ..input }).await
    }

    /// Makes a person or a machine a member at once, without an invitation: for users whose tokens contain no address.
    /// For one that is a member already, sets the role.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] unless the caller is an ADMIN there or the platform,
    /// [`Error::Suspended`], [`Error::Invalid`] for the issuer or the subject, [`Error::AlreadyExists`] for a person
    /// whom an ADMIN can't see yet, [`Error::LimitReached`], [`Error::LastAdmin`].
    pub async fn add_member(
        &self,
        caller: &Caller,
        input: impl Into<Input<AddMember>>,
    ) -> Result<WriteResult<Membership>> {
        let (AddMember { customer_id, issuer, subject, role }, mut errors) = input.into().open();
        errors.allow_on(caller, Action::ManageMembers, customer_id, "customer")?;
        errors.note(super::user::check_subject(&subject));
        let issuer = errors.and(match issuer {
            // Only a known issuer can sign in, and a typing mistake would take a seat.
            Some(issuer) => self.check_known_issuer(&issuer).map(|()| issuer),
            None => self.issuer().map(str::to_owned),
        })?;
        // The user may be a member elsewhere, whose profile an ADMIN can't see yet.
        let scope = match policy::is_platform(caller) {
            true => Scope::Platform,
            false => Scope::Joining(customer_id),
        };
        let member = SetMember { customer_id, issuer, subject, email: None, name: None, role };
        self.place_member(caller, scope, member).await
    }

    async fn place_member(
        &self,
        caller: &Caller,
        scope: Scope,
        member: SetMember,
    ) -> Result<WriteResult<Membership>> {
        let SetMember { customer_id, issuer, subject, email, name, role } = member;
        let (now, fresh) = (self.clock().now(), self.clock().id::<UserId>());
        let is_for_admin = matches!(scope, Scope::Joining(_));
        self.write_in(scope, caller, move |txn| async move {
            let (txn, customer) = txn.customer(Action::ManageMembers, customer_id, "customer").await?;
            let known = txn.one(user::by_subject(&issuer, &subject)).await?;
            let user_id = match known {
                Some(known) => {
                    if is_for_admin {
                        check_not_a_person_elsewhere(&txn, customer_id, &known).await?;
                    }
                    known.id
                }
                None => {
                    let profile = user::ActiveModel {
                        id: Set(fresh),
                        issuer: Set(issuer),
                        subject: Set(subject),
                        email: Set(email),
                        name: Set(name),
                        created_at: Set(now),
                        chosen_name: Set(None),
                    };
                    txn.insert(profile).await?;
                    txn.record(ChangeRecord::platform(ChangeAction::UserCreated).subject(fresh));
                    fresh
                }
            };
            match txn.one(membership::locked(customer_id, user_id)).await? {
                Some(before) => assign(&txn, before, role, None).await,
                None => {
                    limit::check_quota(&txn, &customer, QuotaKind::Members, 1, now).await?;
                    let member =
                        Membership { customer_id, user_id, role, created_at: now, claim_issuer: None };
                    Ok(Outcome::Changed(enter(&txn, member).await?))
                }
            }
        })
        .await
    }

    /// Gives a member another role. Sockets and streams that need the previous role end within a second.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer or the member, [`Error::Forbidden`] unless the caller is an ADMIN there or
    /// the platform, [`Error::Suspended`], [`Error::LastAdmin`].
    pub async fn change_member_role(
        &self,
        caller: &Caller,
        input: ChangeMemberRole,
    ) -> Result<WriteResult<Membership>> {
        let ChangeMemberRole { customer_id, user_id, role } = input;
        policy::allow_on(caller, Action::ManageMembers, customer_id, "customer")?;
        self.write(caller, move |txn| async move {
            let (txn, _) = txn.customer(Action::ManageMembers, customer_id, "customer").await?;
            let before = txn.one(membership::locked(customer_id, user_id)).await?;
            assign(&txn, before.ok_or(Error::NotFound("member"))?, role, None).await
        })
        .await
    }

    /// Removes a member: the user loses access to the customer at once, and its agents there have no owner.
    ///
    /// # Errors
    /// As [`Registry::change_member_role`], but [`Error::Suspended`] only for an erased customer: this only removes a
    /// right.
    pub async fn remove_member(
        &self,
        caller: &Caller,
        customer_id: CustomerId,
        user_id: UserId,
    ) -> Result<WriteResult<Removed>> {
        policy::allow_on(caller, Action::RemoveMembers, customer_id, "customer")?;
        self.write(caller, move |txn| async move {
            let (txn, _) = txn.customer(Action::RemoveMembers, customer_id, "customer").await?;
            let before = txn.one(membership::locked(customer_id, user_id)).await?;
            let before = before.ok_or(Error::NotFound("member"))?;
            leave(&txn, &before).await?;
            Ok(Outcome::Changed(Removed { user_id, customer_id }))
        })
        .await
    }

    /// For each of these customers, the same page of members, in the order of their users' ids.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service token. Customers whose members the reader may not read get an
    /// empty page.
    pub async fn members_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        page: &PageArgs<UserId>,
    ) -> Result<Vec<(CustomerId, Page<Membership>)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.all(membership::page_each(&visible, &page.keyset_page())).await?;
        Ok(super::page_each(customers, rows, |member| member.customer_id, page))
    }

    /// For each of these customers, how many members it has.
    ///
    /// # Errors
    /// As [`Registry::members_of_each`].
    pub async fn count_members_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.all(membership::count_each(&visible)).await?;
        Ok(super::zero_filled(customers, rows))
    }
}

/// Fails when a user that an ADMIN adds is a person of other customers: the ADMIN would see the person's name and
/// address by a guessed subject. An invitation needs an address, which its owner has told the ADMIN.
async fn check_not_a_person_elsewhere(txn: &GrantedTxn, customer: CustomerId, user: &User) -> Result<()> {
    let is_nameless = user.email.is_none() && user.display_name().is_none();
    if is_nameless || txn.one(membership::of(customer, user.id)).await?.is_some() {
        return Ok(());
    }
    Err(Error::AlreadyExists {
        field: "subject",
        message: "this is a person whom other customers know; invite the person's address instead",
    })
}

/// Makes a user a member of a locked customer, where it isn't one yet.
pub(super) async fn enter(txn: &GrantedTxn, member: Membership) -> Result<Membership> {
    let details = details(None, Some(member.role), member.claim_issuer.is_some());
    let entry = ChangeRecord::of(ChangeAction::MemberSet, member.customer_id).subject(member.user_id);
    txn.insert(membership::ActiveModel::from(member.clone())).await?;
    txn.record(entry.details(details));
    Ok(member)
}

/// Removes a locked member from its customer.
pub(super) async fn leave(txn: &GrantedTxn, member: &Membership) -> Result<()> {
    let Membership { customer_id, user_id, role, created_at: _, claim_issuer } = member;
    keep_an_admin(txn, member).await?;
    txn.delete(membership::delete(*customer_id, Some(*user_id))).await?;
    let entry = ChangeRecord::of(ChangeAction::MemberRemoved, *customer_id).subject(*user_id);
    txn.record(entry.details(details(Some(*role), None, claim_issuer.is_some())));
    Ok(())
}

/// Gives a locked member this role, and makes its membership one that a person gave or that this issuer's claims give.
/// When it is so already, returns the revision of the commit that set it.
pub(super) async fn assign(
    txn: &GrantedTxn,
    before: Membership,
    role: Role,
    claim_issuer: Option<String>,
) -> Result<Outcome<Membership>> {
    let (customer, user) = (before.customer_id, before.user_id);
    if before.role == role && before.claim_issuer == claim_issuer {
        let last = last_of_row(customer, user.into(), ChangeAction::MemberSet);
        return Ok(Outcome::Unchanged { value: before, since: super::write::since(txn, last).await? });
    }
    if before.role != role {
        keep_an_admin(txn, &before).await?;
    }
    let details = details(Some(before.role), Some(role), claim_issuer.is_some());
    let row = membership::ActiveModel { role: Set(role), claim_issuer: Set(claim_issuer), ..before.into() };
    let after = txn.update(row).await?;
    txn.record(ChangeRecord::of(ChangeAction::MemberSet, customer).subject(user).details(details));
    Ok(Outcome::Changed(after))
}

/// The details of an entry about a membership: the role before and after, and whether a token's claims changed it.
fn details(before: Option<Role>, after: Option<Role>, is_by_claims: bool) -> Value {
    let mut details = json!({ "before": before.map(name), "after": after.map(name) });
    if is_by_claims && let Some(members) = details.as_object_mut() {
        members.insert("source".to_owned(), "CLAIM".into());
    }
    details
}

/// Fails when this member of a locked customer is its last ADMIN.
async fn keep_an_admin(txn: &GrantedTxn, member: &Membership) -> Result<()> {
    if member.role == Role::Admin
        && txn.one(membership::other_admins(member.customer_id, member.user_id)).await?.is_none()
    {
        return Err(Error::LastAdmin);
    }
    Ok(())
}

fn name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}
