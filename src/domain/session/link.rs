//! One-time addresses that sign a browser in where there is no issuer, as Jupyter prints them. A command on the server
//! creates one. The address only shows a page; its button spends it.

use chrono::TimeDelta;
use sea_orm::Set;
use sha2::{Digest, Sha256};

use super::{SignInPlace, StartedSession, start};
use crate::{
    clock::Instant,
    db::{ChangeRecord, Scope},
    domain::{
        Caller, Error, Principal, Registry, Result, UserPrincipal,
        change::ChangeAction,
        customer::Plan,
        joining::profile,
        operator::Operator,
        policy::{self, Action},
        right::{GrantedTxn, OpenTxn},
        user::{User, check_subject},
    },
    entity::{operator, sign_in_link, user},
    id::UserId,
};

pub use sign_in_link::Model as SignInLink;

/// How long a one-time address can be spent.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);
const SECRET_BYTES: usize = 32;

/// A new one-time address.
#[derive(Clone)]
pub struct NewSignInLink {
    /// The last segment of the address, which is returned only once.
    pub secret: String,
    /// When it expires.
    pub expires_at: Instant,
}

impl Registry {
    /// Creates a one-time address that signs this user in. With `makes_operator`, spending it makes the user an operator,
    /// and the user's profile is created if there is none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`] for the user; [`Error::Invalid`] for the
    /// subject.
    pub async fn create_sign_in_link(
        &self,
        caller: &Caller,
        (issuer, subject): (&str, &str),
        makes_operator: bool,
    ) -> Result<NewSignInLink> {
        policy::allow(caller, Action::ManagePlatform)?;
        check_subject(subject)?;
        let (now, secret) = (self.clock().now(), self.clock().secret());
        let expires_at = now + LINK_LIFETIME;
        let named = nameless_user(self.clock().id(), issuer, subject, expires_at);
        let hash = Sha256::digest(secret).to_vec();
        let create = async move |txn: OpenTxn| -> Result<()> {
            let txn = txn.platform(Action::ManagePlatform).await?;
            let user = match txn.one(user::by_subject(&named.issuer, &named.subject)).await? {
                Some(known) => known.id,
                None if makes_operator => profile(&txn, &named, now).await?,
                None => return Err(Error::NotFound("user")),
            };
            let row = sign_in_link::ActiveModel {
                secret_hash: Set(hash),
                user_id: Set(user),
                makes_operator: Set(makes_operator),
                created_at: Set(now),
                expires_at: Set(expires_at),
                spent_at: Set(None),
            };
            Ok(txn.insert(row).await?)
        };
        self.run(caller, create).await?;
        Ok(NewSignInLink { secret: hex::encode(secret), expires_at })
    }

    /// Whether a one-time address can still be spent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn is_open_sign_in_link(&self, secret: &str) -> Result<bool> {
        Ok(self.open_link(secret).await?.is_some())
    }

    /// Spends a one-time address: signs its user in, once. `None` when it is unknown, spent or expired.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn spend_sign_in_link(
        &self,
        secret: &str,
        place: SignInPlace,
    ) -> Result<Option<StartedSession>> {
        let Some((hash, link)) = self.open_link(secret).await? else { return Ok(None) };
        let view = self.db().internal_view(Scope::Platform);
        let Some(found) = view.one(user::by_id(link.user_id)).await? else { return Ok(None) };
        drop(view);
        let (clock, now) = (self.clock().clone(), self.clock().now());
        let principal = nameless_user(found.id, &found.issuer, &found.subject, link.expires_at);
        let principal = UserPrincipal { has_profile: true, ..principal };
        let caller = Caller::new(Principal::User(principal), place.origin.clone());
        let spend = async move |txn: OpenTxn| -> Result<Option<StartedSession>> {
            // Two requests that spend it at once: the second one waits, and finds it spent.
            let Some((txn, link, user)) = txn.sign_in_link(&hash).await? else { return Ok(None) };
            txn.update_all(sign_in_link::spend(&hash, now)).await?;
            if link.makes_operator {
                make_operator(&txn, &user, now).await?;
            }
            start(&txn, &clock, user.id, place).await.map(Some)
        };
        Ok(self.run_sign_in(caller, Scope::Platform, spend).await?.value)
    }

    /// The row of a one-time address that can still be spent, with its hash.
    async fn open_link(&self, secret: &str) -> Result<Option<(Vec<u8>, SignInLink)>> {
        let mut bytes = [0; SECRET_BYTES];
        // One spelling only, as for tokens.
        if secret.bytes().any(|digit| digit.is_ascii_uppercase())
            || hex::decode_to_slice(secret, &mut bytes).is_err()
        {
            return Ok(None);
        }
        let hash = Sha256::digest(bytes).to_vec();
        let view = self.db().internal_view(Scope::Platform);
        let found = view.one(sign_in_link::by_hash(&hash)).await?;
        let now = self.clock().now();
        Ok(found.filter(|link| link.spent_at.is_none() && link.expires_at > now).map(|link| (hash, link)))
    }
}

/// Makes this user an operator, unless it is one.
async fn make_operator(txn: &GrantedTxn, user: &User, now: Instant) -> Result<()> {
    let operator = Operator { issuer: user.issuer.clone(), subject: user.subject.clone(), created_at: now };
    if txn.insert_new(operator::ActiveModel::from(operator)).await? {
        txn.record(ChangeRecord::platform(ChangeAction::OperatorAdded).subject(user.id));
    }
    Ok(())
}

/// A user of whom only the name is known.
fn nameless_user(id: UserId, issuer: &str, subject: &str, expires_at: Instant) -> UserPrincipal {
    UserPrincipal {
        id,
        has_profile: false,
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        email: None,
        email_verified: false,
        name: None,
        operator: false,
        memberships: Default::default(),
        plan: Plan::Free,
        expires_at,
        session: None,
        sync_at: None,
    }
}
