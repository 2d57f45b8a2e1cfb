//! Starts the service in this process, on a database of its own.

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
            jwt::{LOCAL_ISSUER, LocalIssuer, TokenSubject},
        },
        member::{Role, SetMember},
        service_token::CreateServiceToken,
    },
    feed,
    graphql::TrustedDocuments,
    http::{AppState, ConnectionLimits, Hosts, Origins, SocketLimits, Tls, TrustedProxies},
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

/// Lifetime of a test's token.
const TTL: Duration = Duration::from_secs(3600);
/// How long an instance may serve from memory without checking that it has the end of the log; `feed` has the same
/// value.
const LEASE: Duration = Duration::from_secs(1);

/// Settings of a test's service that differ from the default.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) sockets: SocketLimits,
    pub(crate) lines: ConnectionLimits,
    pub(crate) tls: Option<Tls>,
    /// Origins that CORS accepts.
    pub(crate) origins: Origins,
    /// The hosts that the service accepts requests for.
    pub(crate) hosts: Hosts,
    /// The issuer of users' tokens. The service's own when none.
    pub(crate) issuer: Option<Issuer>,
    /// High by default: nearly every test sends bad credentials, all from one address.
    pub(crate) refusals_per_minute: u32,
    pub(crate) proxies: TrustedProxies,
    /// The only documents that run. Any document runs when none.
    pub(crate) trusted_documents: Option<TrustedDocuments>,
    /// Turns the service's own tenant filters off, so that row-level security alone separates customers.
    pub(crate) is_row_level_security_only: bool,
    /// Turns row-level security off in this test's database, so that the service's own filters alone separate
    /// customers.
    pub(crate) is_row_level_security_off: bool,
    /// The size of the pool of database connections.
    pub(crate) connections: u32,
    /// How often the tail reads the log when no notification arrives.
    pub(crate) poll: Duration,
    /// Size of the memory for configurations, in bytes.
    pub(crate) config_memory: usize,
    pub(crate) memory_budget: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            sockets: SocketLimits::default(),
            lines: ConnectionLimits::default(),
            tls: None,
            origins: Origins::default(),
            hosts: Hosts::new([127, 0, 0, 1].into(), None, Vec::new()),
            issuer: None,
            refusals_per_minute: 1_000_000,
            proxies: TrustedProxies::default(),
            trusted_documents: None,
            is_row_level_security_only: false,
            is_row_level_security_off: false,
            connections: 10,
            poll: feed::POLL,
            config_memory: 16 * 1024 * 1024,
            memory_budget: 256 * 1024 * 1024,
        }
    }
}

/// A service on a fresh database. Dereferences to its first instance.
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) first: Instance,
}

/// One instance of the service; several may share a database.
pub(crate) struct Instance {
    pub(crate) base: String,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    /// The state that HTTP handlers share.
    pub(crate) door: AppState,
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

    /// Starts a service with these socket limits.
    pub(crate) async fn with(sockets: SocketLimits) -> Self {
        Self::set_up(Setup { sockets, ..Setup::default() }).await
    }

    pub(crate) async fn set_up(setup: Setup) -> Self {
        // The service's role owns nothing, as in the private Postgres.
        let migrate = async |owner: &str, url: &str| {
            db::migrate(owner).await.unwrap();
            db::grant_service_role(owner, url).await.unwrap();
        };
        let database = Database::fresh(&template(&db::fingerprint(), OWNER, migrate).await).await;
        if setup.is_row_level_security_off {
            disable_row_level_security(&database).await;
        }
        let first = Instance::start(&database.url, setup).await;
        Self { database, first }
    }

    /// Sets a customer's billing status with SQL, whether or not the service allows that transition.
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

    /// Starts another instance on the same database.
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
            is_row_level_security_only,
            is_row_level_security_off: _,
            connections,
            poll,
            config_memory,
            memory_budget,
        } = setup;
        log::capture();
        let clock = Clock::default();
        let settings = Settings {
            database_url: url.into(),
            connections,
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
            memory_budget,
            trusted_documents,
            is_row_level_security_only,
            poll,
        };
        let service = Service::start(settings).await.unwrap();
        let base = service.base();
        let (registry, door) = (service.registry().clone(), service.state().clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            service.run(stopped).await;
        });
        Self { base, clock, registry, door, stop: Some(stop), task }
    }

    /// Stops the instance, and waits until it has stopped.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.await.unwrap();
    }

    /// Moves the clock forward, and waits until the instance has followed the log at the new time. A bare
    /// `clock.shift` also ends the lease, and the service then reads from the database instead of its memory.
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

    /// The host and port that it listens on.
    pub(crate) fn address(&self) -> &str {
        self.base.split_once("://").map_or("", |(_, address)| address)
    }

    /// The number of watchers on this instance.
    pub(crate) fn watchers(&self) -> usize {
        self.door.hub.watchers(&Caller::system("test")).unwrap().len()
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> Anonymous {
        Anonymous(self.client(None))
    }

    /// A client with this token.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        self.client(Some(token.to_owned()))
    }

    /// A client of a platform operator.
    pub(crate) async fn operator(&self) -> Operator {
        self.registry.add_operator(&Caller::system("test"), LOCAL_ISSUER, "olga").await.unwrap();
        Operator(self.user("olga", None))
    }

    /// A client with a valid token of a user who is a member of no customer.
    pub(crate) fn stranger(&self) -> Member {
        Member(self.user("stranger", None))
    }

    /// A client with a token for this subject. With an `email`, the token says that the issuer has verified it.
    pub(crate) fn user(&self, subject: &str, email: Option<&str>) -> Client {
        let subject =
            TokenSubject { subject: subject.to_owned(), email: email.map(str::to_owned), name: None };
        self.client(Some(self.registry.mint(subject, TTL).unwrap()))
    }

    /// A client of a member of this customer, in this role.
    pub(crate) async fn member(&self, customer: &str, role: Role) -> Member {
        let subject = subject(role, customer);
        self.set_member(customer, &subject, role).await;
        Member(self.user(&subject, None))
    }

    /// Makes this subject a member, or changes its role. Returns the user's id.
    pub(crate) async fn set_member(&self, customer: &str, subject: &str, role: Role) -> String {
        let input = SetMember {
            customer_id: customer.parse().unwrap(),
            issuer: LOCAL_ISSUER.to_owned(),
            subject: subject.to_owned(),
            email: None,
            name: None,
            role,
        };
        let made = self.registry.set_member(&Caller::system("test"), input).await.unwrap();
        // A request that sets a member waits for this too before it is answered.
        self.door.hub.wait_until_caught_up().await;
        made.value.user_id.to_string()
    }

    /// Changes the role of the member that [`Instance::member`] made for the role `was`.
    pub(crate) async fn set_role(&self, customer: &str, was: Role, role: Role) {
        self.set_member(customer, &subject(was, customer), role).await;
    }

    /// A client with an API key of this customer, with these scopes.
    pub(crate) async fn program(
        &self,
        customer: &str,
        scopes: impl IntoIterator<Item = KeyScope>,
    ) -> Program {
        self.program_with(customer, scopes, None).await
    }

    /// A client with an API key of this customer, with these scopes, that reaches only these environments.
    pub(crate) async fn limited_program(
        &self,
        customer: &str,
        scopes: impl IntoIterator<Item = KeyScope>,
        environments: &[&str],
    ) -> Program {
        let environments = environments.iter().map(|key| (*key).to_owned()).collect();
        self.program_with(customer, scopes, Some(environments)).await
    }

    async fn program_with(
        &self,
        customer: &str,
        scopes: impl IntoIterator<Item = KeyScope>,
        environments: Option<Vec<String>>,
    ) -> Program {
        let (customer_id, name) = (customer.parse().unwrap(), "program".to_owned());
        let scopes = scopes.into_iter().collect();
        let input = CreateApiKey { customer_id, name, scopes, expires_at: None, environments };
        let made = self.registry.create_api_key(&Caller::system("test"), input).await.unwrap();
        Program(self.client(made.value.secret))
    }

    /// A client with a service token that has all scopes.
    pub(crate) async fn gateway(&self) -> Gateway {
        self.service(ServiceScope::ALL).await
    }

    /// A client with a service token that has these scopes.
    pub(crate) async fn service(&self, scopes: impl IntoIterator<Item = ServiceScope>) -> Gateway {
        self.service_with(CreateServiceToken::for_all("gateway", scopes)).await
    }

    /// A client with a service token that has all scopes, at these customers only.
    pub(crate) async fn limited_gateway(&self, customers: impl IntoIterator<Item = &str>) -> Gateway {
        self.limited_service(ServiceScope::ALL, customers).await
    }

    /// A client with a service token that has these scopes, at these customers only.
    pub(crate) async fn limited_service(
        &self,
        scopes: impl IntoIterator<Item = ServiceScope>,
        customers: impl IntoIterator<Item = &str>,
    ) -> Gateway {
        let customers = customers.into_iter().map(|id| id.parse().unwrap()).collect();
        let input = CreateServiceToken::for_all("limited gateway", scopes);
        self.service_with(CreateServiceToken { customer_ids: Some(customers), ..input }).await
    }

    /// A client with this service token.
    pub(crate) async fn service_with(&self, input: CreateServiceToken) -> Gateway {
        let made = self.registry.create_service_token(&Caller::system("test"), input).await.unwrap();
        Gateway(self.client(made.value.secret))
    }

    fn client(&self, token: Option<String>) -> Client {
        Client::new(self.base.clone(), token)
    }
}

/// Turns row-level security off in this test's database. The service's role can't have BYPASSRLS instead, because
/// the service refuses to start with it.
async fn disable_row_level_security(database: &Database) {
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    let disable = "DO $$ DECLARE walled record; BEGIN
        FOR walled IN SELECT oid::regclass AS name FROM pg_class
            WHERE relnamespace = 'registry'::regnamespace AND relrowsecurity LOOP
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', walled.name);
        END LOOP; END $$";
    sqlx::raw_sql(disable).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

/// The subject of the member with this role.
fn subject(role: Role, customer: &str) -> String {
    format!("{role:?}-of-{customer}").to_lowercase()
}

/// The path of the signing key that all tests of this user share, as replicas share one.
pub(crate) fn key_file() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    std::env::temp_dir().join(format!("agent-registry-test-{uid}.pem"))
}
