//! The table `sessions`: sign-ins of browsers to the console. They belong to people, not to customers, so every select is
//! by the session's id or by its user.

use sea_orm::{
    DbBackend, DeleteMany, FromQueryResult, QueryOrder, QuerySelect, SelectModel, SelectorRaw, Statement,
    UpdateMany, entity::prelude::*,
};

use crate::{
    clock::Instant,
    id::{SessionId, UserId},
};

/// A session. The secret is never stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "sessions")]
pub struct Model {
    /// The session's id, which is part of the cookie's text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// The user who signed in.
    pub user_id: UserId,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// When the user signed in.
    pub created_at: Instant,
    /// When the session was last used, to the minute.
    pub last_seen_at: Instant,
    /// When the session expires, however much it is used.
    pub expires_at: Instant,
    /// When the session was ended; `None` while it wasn't.
    pub ended_at: Option<Instant>,
    /// The request that ended it.
    pub ended_by: Option<Uuid>,
    /// The network that the user signed in from, such as `192.0.2.0/24`.
    pub network: Option<String>,
    /// The browser and its system, such as `Firefox on Linux`; 1 to 100 characters.
    pub client: Option<String>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The columns of a session and its user that authentication needs.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Credential {
    /// The user who signed in.
    pub user_id: UserId,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// When the session was last used, to the minute.
    pub last_seen_at: Instant,
    /// When the session expires, however much it is used.
    pub expires_at: Instant,
    /// When the session was ended; `None` while it wasn't.
    pub ended_at: Option<Instant>,
    /// The issuer of the user's first identity.
    pub issuer: String,
    /// The user's name there.
    pub subject: String,
    /// The user's address, if known.
    pub email: Option<String>,
    /// The display name in the user's token, if known.
    pub name: Option<String>,
}

/// Whether a session hasn't been ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Held {
    /// Whether it hasn't, which holds until the transaction ends.
    pub held: bool,
}

/// The columns that authentication needs, of the session with this id.
pub fn credential(id: SessionId) -> SelectorRaw<SelectModel<Credential>> {
    let sql = "SELECT s.user_id, s.secret_hash, s.last_seen_at, s.expires_at, s.ended_at, u.issuer, u.subject, u.email, u.name \
               FROM registry.sessions AS s JOIN registry.users AS u ON u.id = s.user_id WHERE s.id = $1";
    Credential::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]))
}

/// Locks a session against being ended until the transaction ends. In any scope.
pub fn hold(id: SessionId) -> SelectorRaw<SelectModel<Held>> {
    let sql = "SELECT registry.hold_session($1) AS held";
    Held::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]))
}

/// The sessions of a user that are accepted at `now` if they were used after `idle`, newest first.
pub fn live_of(user: UserId, now: Instant, idle: Instant) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::LastSeenAt.gt(idle))
        .order_by_desc(Column::Id)
}

/// Locks the session with this id, if it is the user's, against writes that are made with it.
pub fn locked(user: UserId, id: SessionId) -> Select<Entity> {
    Entity::find_by_id(id).filter(Column::UserId.eq(user)).lock_exclusive()
}

/// Locks the user's sessions that haven't been ended and haven't expired at `now`, except for this one, against writes that
/// are made with them. In one order, so that two such locks can't deadlock.
pub fn locked_others(user: UserId, except: Option<SessionId>, now: Instant) -> Select<Entity> {
    let mut select = Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .lock_exclusive();
    if let Some(except) = except {
        select = select.filter(Column::Id.ne(except));
    }
    select.order_by_asc(Column::Id)
}

/// The sessions that this request has ended.
pub fn ended_by(request: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::EndedBy.eq(request)).order_by_asc(Column::Id)
}

/// Ends these sessions.
pub fn end(ids: &[SessionId], now: Instant, request: Uuid) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::EndedBy, Expr::value(request))
        .filter(Column::Id.eq_any(ids.to_vec()))
}

/// Sets the time of the session's last use to `now`, unless it is `before` or later already.
pub fn touch(id: SessionId, now: Instant, before: Instant) -> UpdateMany<Entity> {
    super::touch(Column::Id.eq(id), Column::LastSeenAt, now, before)
}

/// Deletes the sessions that expired at `until` or before.
pub fn forget(until: Instant) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::ExpiresAt.lte(until))
}
