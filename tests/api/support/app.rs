//! A service of a test's own, in this process, on a database of its own.

use std::{ops::Deref, path::PathBuf, time::Duration};

use agent_registry::{
    app::{Service, Settings},
    clock::Clock,
    db,
    domain::{
        Caller, KeyScope, Registry, ServiceScope,
        api_key::CreateApiKey,
        auth::{
            Issuer,
            jwt::{LOCAL_ISSUER, LocalIssuer, Subject},
        },
        member::{Role, SetMember},
        service_token::CreateServiceToken,
    },
    feed,
    graphql::TrustedDocuments,
    http::{Door, Hosts, LineLimits, Origins, SocketLimits, Tls, TrustedProxies},
};
use chrono::TimeDelta;
use embedded_postgres::OWNER;
use sqlx::{Connection, PgConnection};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    caller::{Anonymous, Client, Gateway, Member, Operator, Program},
    cluster::{Database, template},
    log,
    wait::until,
};

/// How long a token of a test is valid, in seconds.
const TTL: Duration = Duration::from_secs(3600);
/// For how long an instance serves from memory without new proof of the log's end, as `feed` has it.
const LEASE: Duration = Duration::from_secs(1);

/// How a test wants its service, where it is not as usual.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) sockets: SocketLimits,
    pub(crate) lines: LineLimits,
    pub(crate) tls: Option<Tls>,
    /// Whose pages may ask.
    pub(crate) origins: Origins,
    /// Which hosts it answers for.
    pub(crate) hosts: Hosts,
    /// Who vouches for users, when it is not the service itself.
    pub(crate) issuer: Option<Issuer>,
    /// Many: nearly every test shows what becomes of bad credentials, all from one address.
    pub(crate) refusals_per_minute: u32,
    pub(crate) proxies: TrustedProxies,
    /// The documents that may be run; any when none.
    pub(crate) trusted_documents: Option<TrustedDocuments>,
    /// Leave it to row-level security alone to keep customers apart.
    pub(crate) is_second_wall_alone: bool,
    /// Leave it to the service's own queries alone: the database of this test has no row-level security.
    pub(crate) is_first_wall_alone: bool,
    /// How long an instance waits for the bell before it looks at the log anyway.
    pub(crate) poll: Duration,
    /// How many bytes of configurations it keeps in memory.
    pub(crate) config_memory: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            sockets: SocketLimits::default(),
            lines: LineLimits::default(),
            tls: None,
            origins: Origins::default(),
            hosts: Hosts::new([127, 0, 0, 1].into(), None, Vec::new()),
            issuer: None,
            refusals_per_minute: 1_000_000,
            proxies: TrustedProxies::default(),
            trusted_documents: None,
            is_second_wall_alone: false,
            is_first_wall_alone: false,
            poll: feed::POLL,
            config_memory: 16 * 1024 * 1024,
        }
    }
}

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
        Self::set_up(Setup::default()).await
    }

    /// With sockets as patient as this.
    pub(crate) async fn with(sockets: SocketLimits) -> Self {
        Self::set_up(Setup { sockets, ..Setup::default() }).await
    }

    pub(crate) async fn set_up(setup: Setup) -> Self {
        // The service serves as a role that owns nothing, as in its private Postgres.
        let migrate = async |owner: &str, url: &str| {
            db::migrate(owner).await.unwrap();
            db::admit(owner, url).await.unwrap();
        };
        let database = Database::fresh(&template(&db::fingerprint(), OWNER, migrate).await).await;
        if setup.is_first_wall_alone {
            take_down_the_second_wall(&database).await;
        }
        let first = Instance::start(&database.url, setup).await;
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
        Instance::start(&self.database.url, Setup::default()).await
    }
}

impl Instance {
    pub(crate) async fn start(url: &str, setup: Setup) -> Self {
        let Setup {
            sockets,
            lines,
            tls,
            origins,
            hosts,
            issuer,
            refusals_per_minute,
            proxies,
            trusted_documents,
            is_second_wall_alone,
            is_first_wall_alone: _,
            poll,
            config_memory,
        } = setup;
        log::capture();
        let clock = Clock::default();
        let settings = Settings {
            database_url: url.to_owned(),
            connections: 10,
            listen: "127.0.0.1:0".parse().unwrap(),
            issuer: issuer.unwrap_or_else(|| Issuer::Local(LocalIssuer::open(&key_file()).unwrap())),
            clock: clock.clone(),
            sockets,
            lines,
            tls,
            tls_look: Duration::from_millis(100),
            origins,
            hosts,
            refusals_per_minute,
            proxies,
            retention: None,
            config_memory,
            trusted_documents,
            is_second_wall_alone,
            poll,
        };
        let service = Service::start(settings).await.unwrap();
        let base = service.base();
        let (registry, door) = (service.registry().clone(), service.door().clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            service.run(stopped).await;
        });
        Self { base, clock, registry, door, stop: Some(stop), task }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.await.unwrap();
    }

    /// Moves the clock forward, and waits until the instance has followed the log by the new time. A bare `clock.shift`
    /// ends the lease too, and then the service asks the database instead of its memory.
    pub(crate) async fn let_pass(&self, time: TimeDelta) {
        self.clock.shift(time);
        until("the instance holds its lease again", || self.door.hub.age() < LEASE / 2).await;
    }

    /// Waits until the instance has followed the log to its end.
    pub(crate) async fn caught_up(&self) {
        let head = self.registry.head().await.unwrap().revision;
        until("the instance has followed the log to its end", || {
            self.door.hub.applied() == head && self.door.hub.age() < LEASE / 2
        })
        .await;
    }

    /// Where it listens: host and port.
    pub(crate) fn address(&self) -> &str {
        self.base.split_once("://").map_or("", |(_, address)| address)
    }

    /// How many watch this instance.
    pub(crate) fn watchers(&self) -> usize {
        self.door.hub.watchers(&Caller::system("test")).unwrap().len()
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
        Operator(self.user("olga", None))
    }

    /// Somebody with a valid token, and nothing else.
    pub(crate) fn stranger(&self) -> Member {
        Member(self.user("stranger", None))
    }

    /// Whoever has a token for this subject, in which its issuer has verified this address.
    pub(crate) fn user(&self, subject: &str, email: Option<&str>) -> Client {
        let subject = Subject { subject: subject.to_owned(), email: email.map(str::to_owned), name: None };
        self.client(Some(self.registry.mint(subject, TTL).unwrap()))
    }

    /// Somebody who works for this customer, in this role.
    pub(crate) async fn member(&self, customer: &str, role: Role) -> Member {
        let subject = subject(role, customer);
        self.set_member(customer, &subject, role).await;
        Member(self.user(&subject, None))
    }

    /// Makes this subject a member, or gives it another role; answers its user's id.
    pub(crate) async fn set_member(&self, customer: &str, subject: &str, role: Role) -> String {
        let input = SetMember {
            customer_id: customer.parse().unwrap(),
            issuer: LOCAL_ISSUER.to_owned(),
            subject: subject.to_owned(),
            email: None,
            role,
        };
        let made = self.registry.set_member(&Caller::system("test"), input).await.unwrap();
        // As a request that sets it is answered.
        self.door.hub.settle().await;
        made.value.user_id.to_string()
    }

    /// Gives the [`Instance::member`] of this role another one, as an ADMIN does.
    pub(crate) async fn set_role(&self, customer: &str, was: Role, role: Role) {
        self.set_member(customer, &subject(was, customer), role).await;
    }

    /// A program of this customer's with these scopes.
    pub(crate) async fn program(
        &self,
        customer: &str,
        scopes: impl IntoIterator<Item = KeyScope>,
    ) -> Program {
        let (customer_id, name) = (customer.parse().unwrap(), "program".to_owned());
        let input =
            CreateApiKey { customer_id, name, scopes: scopes.into_iter().collect(), expires_at: None };
        let made = self.registry.create_api_key(&Caller::system("test"), input).await.unwrap();
        Program(self.client(made.value.secret))
    }

    /// A service with all scopes.
    pub(crate) async fn gateway(&self) -> Gateway {
        self.service(ServiceScope::ALL).await
    }

    /// A service with these scopes.
    pub(crate) async fn service(&self, scopes: impl IntoIterator<Item = ServiceScope>) -> Gateway {
        let input = CreateServiceToken { name: "gateway".to_owned(), scopes: scopes.into_iter().collect() };
        let made = self.registry.create_service_token(&Caller::system("test"), input).await.unwrap();
        Gateway(self.client(made.value.secret))
    }

    fn client(&self, token: Option<String>) -> Client {
        Client::new(self.base.clone(), token)
    }
}

/// Switches row-level security off in the database of this test. The service's role stays as plain as it must be: with
/// BYPASSRLS it would refuse to start.
async fn take_down_the_second_wall(database: &Database) {
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    let disable = "DO $$ DECLARE walled record; BEGIN
        FOR walled IN SELECT oid::regclass AS name FROM pg_class
            WHERE relnamespace = 'registry'::regnamespace AND relrowsecurity LOOP
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', walled.name);
        END LOOP; END $$";
    sqlx::raw_sql(disable).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

/// What the member of this role is called.
fn subject(role: Role, customer: &str) -> String {
    format!("{role:?}-of-{customer}").to_lowercase()
}

/// One signing key for all tests of this user, as replicas share one.
pub(crate) fn key_file() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    std::env::temp_dir().join(format!("agent-registry-test-{uid}.pem"))
}
