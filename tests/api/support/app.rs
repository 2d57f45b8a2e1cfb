//! A service of a test's own, in this process, on a database of its own.

use std::{ops::Deref, path::PathBuf};

use agent_registry::{
    app::{Service, Settings},
    clock::Clock,
    db,
    domain::{
        Caller, Registry, ServiceScope,
        auth::{
            Keys,
            jwt::{LOCAL_ISSUER, LocalIssuer},
        },
        member::{Role, SetMember},
        service_token::CreateServiceToken,
    },
    http::{Door, SocketLimits},
};
use sqlx::{Connection, PgConnection};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    caller::{Anonymous, Client, Gateway, Member, Operator},
    cluster::{Database, template},
};

/// How long a token of a test is valid, in seconds.
const TTL: std::time::Duration = std::time::Duration::from_secs(3600);

/// A service on a fresh database.
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) first: Instance,
}

/// One of the services on a database.
pub(crate) struct Instance {
    pub(crate) base: String,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    /// What its handlers have at hand.
    pub(crate) door: Door,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Deref for App {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.first
    }
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(SocketLimits::default()).await
    }

    /// With sockets as patient as this.
    pub(crate) async fn with(sockets: SocketLimits) -> Self {
        let migrate = async |url: &str| {
            db::migrate(url).await.unwrap();
        };
        let database = Database::fresh(&template(&db::fingerprint(), migrate).await).await;
        let first = Instance::start(&database.url, sockets).await;
        Self { database, first }
    }

    /// Puts a customer into this billing status behind the service's back, whatever it was in.
    pub(crate) async fn set_billing_status(&self, customer: &str, status: &str) {
        let mut admin = PgConnection::connect(&self.database.admin_url).await.unwrap();
        sqlx::query("UPDATE registry.customers SET billing_status = $2 WHERE id = $1::text::uuid")
            .bind(customer)
            .bind(status)
            .execute(&mut admin)
            .await
            .unwrap();
        admin.close().await.unwrap();
    }

    /// Another instance on the same database.
    pub(crate) async fn another(&self) -> Instance {
        Instance::start(&self.database.url, SocketLimits::default()).await
    }
}

impl Instance {
    pub(crate) async fn start(url: &str, sockets: SocketLimits) -> Self {
        let clock = Clock::default();
        let settings = Settings {
            database_url: url.to_owned(),
            connections: 10,
            listen: "127.0.0.1:0".parse().unwrap(),
            keys: Keys { local: LocalIssuer::open(&key_file()).unwrap() },
            clock: clock.clone(),
            sockets,
        };
        let service = Service::start(settings).await.unwrap();
        let base = format!("http://{}", service.address());
        let (registry, door) = (service.registry().clone(), service.door().clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            service.run(stopped).await.unwrap();
        });
        Self { base, clock, registry, door, stop: Some(stop), task }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.await.unwrap();
    }

    /// Nobody.
    pub(crate) fn anonymous(&self) -> Anonymous {
        Anonymous(self.client(None))
    }

    /// Whoever has this token.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        self.client(Some(token.to_owned()))
    }

    /// A user of the platform itself.
    pub(crate) async fn operator(&self) -> Operator {
        self.registry.add_operator(&Caller::system("test"), LOCAL_ISSUER, "olga").await.unwrap();
        Operator(self.client(Some(self.registry.mint("olga", TTL).unwrap())))
    }

    /// Somebody with a valid token, and nothing else.
    pub(crate) fn stranger(&self) -> Member {
        Member(self.client(Some(self.registry.mint("stranger", TTL).unwrap())))
    }

    /// Somebody who works for this customer, in this role.
    pub(crate) async fn member(&self, customer: &str, role: Role) -> Member {
        let subject = format!("{role:?}-of-{customer}").to_lowercase();
        let input = SetMember {
            customer_id: customer.parse().unwrap(),
            issuer: LOCAL_ISSUER.to_owned(),
            subject: subject.clone(),
            role,
        };
        self.registry.set_member(&Caller::system("test"), input).await.unwrap();
        Member(self.client(Some(self.registry.mint(&subject, TTL).unwrap())))
    }

    /// A service with all scopes.
    pub(crate) async fn gateway(&self) -> Gateway {
        self.service(ServiceScope::ALL).await
    }

    /// A service with these scopes.
    pub(crate) async fn service(&self, scopes: impl IntoIterator<Item = ServiceScope>) -> Gateway {
        let input = CreateServiceToken { name: "gateway".to_owned(), scopes: scopes.into_iter().collect() };
        let made = self.registry.create_service_token(&Caller::system("test"), input).await.unwrap();
        Gateway(self.client(Some(made.value.secret)))
    }

    fn client(&self, token: Option<String>) -> Client {
        Client::new(self.base.clone(), token)
    }
}

/// One signing key for all tests of this user, as replicas share one.
pub(crate) fn key_file() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    std::env::temp_dir().join(format!("agent-registry-test-{uid}.pem"))
}
