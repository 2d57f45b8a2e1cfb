//! Members: which user works for which customer, and as what.

use std::collections::BTreeMap;

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Changed, Error, Registry, Result,
    change::ChangeAction,
    policy::{self, Action},
};
use crate::{
    db::{Entry, View},
    entity::{change::last_of_subject, customer, membership as row, user},
    id::{CustomerId, UserId},
};

pub use row::{Model as Membership, Role};

/// Who is to be a member of what, and as what.
#[derive(Clone, Debug)]
pub struct SetMember {
    /// Where.
    pub customer_id: CustomerId,
    /// Who vouches for the subject.
    pub issuer: String,
    /// Its name at the issuer, 1 to 255 characters.
    pub subject: String,
    /// As what.
    pub role: Role,
}

impl Registry {
    /// Makes a user a member, or gives a member another role. Makes its profile if it has none.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] unless the caller is an ADMIN there or the platform, [`Error::Invalid`].
    pub async fn set_member(&self, caller: &Caller, input: SetMember) -> Result<Changed<Membership>> {
        policy::allow_on(caller, Action::ManageMembers, input.customer_id, "customer")?;
        let SetMember { customer_id, issuer, subject, role } = input;
        super::user::check_subject(&subject)?;
        let (now, fresh) = (self.clock.now(), self.clock.id::<UserId>());
        let made = self
            .write(caller, move |txn| async move {
                txn.one(customer::locked(txn.reach(), customer_id))
                    .await?
                    .ok_or(Error::NotFound("customer"))?;
                let profile = user::ActiveModel {
                    id: Set(fresh),
                    issuer: Set(issuer.clone()),
                    subject: Set(subject.clone()),
                    email: Set(None),
                    name: Set(None),
                    created_at: Set(now),
                };
                if txn.insert_new(profile, [user::Column::Issuer, user::Column::Subject]).await? {
                    txn.record(Entry::platform(ChangeAction::UserCreated).subject(fresh));
                }
                let user =
                    txn.one(user::by_subject(&issuer, &subject)).await?.ok_or(Error::NotFound("user"))?;
                let before = txn.one(row::of(customer_id, user.id)).await?;
                let member = Membership { customer_id, user_id: user.id, role, created_at: now };
                let details = json!({ "before": before.as_ref().map(|b| name(b.role)), "after": name(role) });
                match before {
                    Some(before) if before.role == role => {
                        let last = txn.one(last_of_subject(user.id.into(), ChangeAction::MemberSet)).await?;
                        let since = last.map_or(0, |change| change.revision);
                        return Ok((before, since));
                    }
                    Some(before) => {
                        txn.update(row::ActiveModel { role: Set(role), ..before.into() }).await?;
                    }
                    None => txn.insert(row::ActiveModel::from(member.clone())).await?,
                }
                txn.record(Entry::of(ChangeAction::MemberSet, customer_id).subject(user.id).details(details));
                Ok((member, 0))
            })
            .await?;
        Ok(made.or_since())
    }
}

fn name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}

/// The roles of one user, for who signs in.
pub(super) async fn roles(view: &View, user: UserId) -> Result<BTreeMap<CustomerId, Role>> {
    let rows = view.all(row::of_user(user)).await?;
    Ok(rows.into_iter().map(|member| (member.customer_id, member.role)).collect())
}
