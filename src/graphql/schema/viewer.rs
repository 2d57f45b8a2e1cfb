//! The viewer in the GraphQL schema: the caller of a request, with its memberships and permissions.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    customer::Customer,
    error::{Nullable, nullable, to_graphql_error},
    invitation::PendingInvitation,
    scalar::{DateTime, to_id},
    session::Session,
    user::{ActorKind, Permission, Role, User},
};
use crate::{
    domain::{
        Principal, member, permission,
        policy::{self, Action},
    },
    graphql::engine::context::{RequestView, request},
    id::CustomerId,
};

/// The caller of this request: you, and what you may do.
pub struct Viewer {
    view: RequestView,
}

impl Viewer {
    fn credential_name(&self) -> &str {
        match &self.view.caller().principal {
            Principal::User(user) => &user.subject,
            Principal::ApiKey(key) => &key.name,
            Principal::Service(service) => &service.name,
            Principal::System => "system",
        }
    }
}

/// Your membership of one customer.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ViewerMembership {
    /// Your role at this customer.
    role: Role,
    #[graphql(skip)]
    customer_id: CustomerId,
    #[graphql(skip)]
    view: RequestView,
}

#[async_graphql::ComplexObject]
impl ViewerMembership {
    /// The customer that you are a member of.
    async fn customer(&self) -> Nullable<Customer> {
        nullable(async { self.view.customer(self.customer_id).await }).await
    }

    /// Your rights at this customer: those of your role, or all if you are an operator. Billing status isn't
    /// considered.
    #[graphql(deprecation = "Ignores suspension. Use Customer.viewerPermissions.")]
    async fn permissions(&self) -> Vec<Permission> {
        let caller = self.view.caller();
        let may = |action: &Action| policy::allow_on(caller, *action, self.customer_id, "customer").is_ok();
        Action::ALL.into_iter().filter(may).map(Into::into).collect()
    }
}

/// The caller of this request: you, and what you may do.
#[Object]
impl Viewer {
    /// The kind of caller that you are.
    async fn kind(&self) -> ActorKind {
        match &self.view.caller().principal {
            Principal::User(user) if user.operator => ActorKind::Operator,
            Principal::User(_) => ActorKind::User,
            Principal::ApiKey(_) => ActorKind::ApiKey,
            Principal::Service(_) => ActorKind::Service,
            Principal::System => ActorKind::System,
        }
    }

    /// Your profile. Null for programs; also for a user without a profile, which an accepted invitation or the
    /// first write creates.
    async fn user(&self) -> Nullable<User> {
        nullable(async {
            match &self.view.caller().principal {
                Principal::User(user) if user.has_profile => self.view.user(user.id).await,
                Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                    Ok(None)
                }
            }
        })
        .await
    }

    /// Your name in your credential: a user's subject, or the name of an API key or service token.
    async fn name(&self) -> &str {
        self.credential_name()
    }

    /// Your name for people: your profile's name, else your address, else your name in your credential.
    async fn display_name(&self) -> async_graphql::Result<String> {
        let Principal::User(principal) = &self.view.caller().principal else {
            return Ok(self.credential_name().to_owned());
        };
        let profile = match principal.has_profile {
            true => self.view.user(principal.id).await?,
            false => None,
        };
        let of_profile = profile.as_ref().and_then(User::visible_name).map(str::to_owned);
        let of_token = || principal.name.clone().or_else(|| principal.email.clone());
        Ok(of_profile.or_else(of_token).unwrap_or_else(|| self.credential_name().to_owned()))
    }

    /// The open invitations to the address in your token. A verified address accepts those that nothing blocks at the
    /// next sign-in. Empty for programs.
    async fn pending_invitations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<PendingInvitation>> {
        let pending = request(ctx)?.registry.pending_invitations(self.view.caller()).await;
        Ok(pending.map_err(|err| to_graphql_error(&err))?.into_iter().map(Into::into).collect())
    }

    /// Your sessions of the console, newest first, without those that have expired or were ended. Empty for programs.
    async fn sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Session>> {
        let caller = self.view.caller();
        let sessions = request(ctx)?.registry.sessions(caller).await;
        let sessions = sessions.map_err(|err| to_graphql_error(&err))?.into_iter();
        Ok(sessions.map(|row| Session::new(row, caller.session())).collect())
    }

    /// True if you are an operator: a person who runs the platform, with all rights at all customers.
    async fn is_operator(&self) -> bool {
        matches!(&self.view.caller().principal, Principal::User(user) if user.operator)
    }

    /// Your role at each of your customers; empty for operators who have none, and for programs.
    async fn memberships(&self) -> Vec<ViewerMembership> {
        let Principal::User(user) = &self.view.caller().principal else {
            return Vec::new();
        };
        let place = |(customer_id, role): (&CustomerId, &member::Role)| ViewerMembership {
            role: (*role).into(),
            customer_id: *customer_id,
            view: self.view.clone(),
        };
        user.memberships.iter().map(place).collect()
    }

    /// What your API key or service token may do, spelled as `agents:read`; empty for users.
    async fn scopes(&self) -> Vec<&'static str> {
        match &self.view.caller().principal {
            Principal::ApiKey(key) => key.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::Service(service) => service.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::User(_) | Principal::System => Vec::new(),
        }
    }

    /// What you may do for the platform itself, such as CREATE_CUSTOMER; empty for all but operators.
    async fn platform_permissions(&self) -> Vec<Permission> {
        permission::on_platform(self.view.caller()).into_iter().map(Into::into).collect()
    }

    /// Your rights at any of your customers or, for operators, everywhere. `Customer.viewerPermissions` lists them for
    /// each customer.
    #[graphql(
        deprecation = "A union over all customers. Use Customer.viewerPermissions, Serving.viewerPermissions, Viewer.platformPermissions."
    )]
    async fn permissions(&self) -> Vec<Permission> {
        let caller = self.view.caller();
        let places: Vec<CustomerId> = match &caller.principal {
            Principal::User(user) if !user.operator => user.memberships.keys().copied().collect(),
            Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                Vec::new()
            }
        };
        let may = |action: &Action| match &caller.principal {
            Principal::User(user) if !user.operator => {
                places.iter().any(|id| policy::allow_on(caller, *action, *id, "customer").is_ok())
            }
            Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                policy::allow(caller, *action).is_ok()
            }
        };
        Action::ALL.into_iter().filter(may).map(Into::into).collect()
    }

    /// The UUID of your API key's customer; null for users and service tokens.
    async fn customer_id(&self) -> Option<ID> {
        match &self.view.caller().principal {
            Principal::ApiKey(key) => Some(to_id(key.customer_id)),
            Principal::User(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// When your credential expires; null if it doesn't expire.
    async fn expires_at(&self) -> Option<DateTime> {
        self.view.caller().expires_at().map(Into::into)
    }
}

/// The root field of `Query` that describes the caller.
#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The caller of this request: who you are, and what you may do.
    async fn viewer(&self, ctx: &Context<'_>) -> async_graphql::Result<Viewer> {
        Ok(Viewer { view: request(ctx)?.view() })
    }
}
