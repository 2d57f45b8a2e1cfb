//! Measures the parts of a request separately: `cargo bench --bench parts`. They belong to a service that runs in
//! this process, with its own private Postgres.

use std::{hint::black_box, time::Duration};

use agent_registry::{
    app::{Database, Service, ValidatedSettings},
    config::{Common, Serve},
    domain::{
        Caller, ServiceScope,
        agent::CreateAgent,
        customer::CreateCustomer,
        environment::EnvironmentKey,
        plan::PlanConfirmation,
        service_token::CreateServiceToken,
        version::{Content, PublishVersion},
    },
    graphql::{self, Operation},
    id::AgentId,
};
use clap::Parser;
use criterion::Criterion;
use serde_json::json;
use tokio::runtime::Runtime;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const QUERY: &str = "query ($id: ID!) { activeConfig(agentId: $id) { agentId customerId name versionId versionNumber \
    systemPrompt modelName modelParameters tools { name description inputSchema } contentHash activatedAt revision } }";

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    serve: Serve,
}

/// A service, an agent with an active version, and a gateway's token.
struct World {
    service: Service,
    database: Database,
    agent: AgentId,
    token: String,
}

fn content() -> Content {
    let tool = |nth| {
        let schema = json!({ "type": "object", "properties": { "query": { "type": "string" } } });
        json!({ "name": format!("tool_{nth}"), "description": "Looks something up", "input_schema": schema })
            .into()
    };
    Content {
        system_prompt: "Answer briefly and kindly. ".repeat(75),
        model_name: "gpt-4-turbo".to_owned(),
        model_parameters: json!({ "temperature": 0.2 }).into(),
        tools: (0..5).map(tool).collect(),
        extensions: None,
    }
}

impl World {
    async fn new(folder: &str) -> Result<Self, Failure> {
        let Program { common, serve } =
            Program::try_parse_from(["parts", "--data-dir", folder, "--listen", "127.0.0.1:0"])?;
        let checked = ValidatedSettings::read(&common, &serve).await?;
        let database = Database::open(&common).await?;
        database.migrate().await?;
        let service = Service::start(checked.settings(&serve, &database)).await?;
        let (registry, caller) = (service.registry(), Caller::system("parts"));
        let customer = registry
            .create_customer(&caller, CreateCustomer { name: "City".to_owned(), external_id: None })
            .await?
            .value;
        let input = CreateAgent {
            customer_id: customer.id,
            name: "Helper".to_owned(),
            description: None,
            owner_id: None,
        };
        let agent = registry.create_agent(&caller, input).await?.value.id;
        let input = PublishVersion {
            agent_id: agent,
            content: content(),
            message: None,
            activate: Some(EnvironmentKey::default()),
            expected_latest_number: None,
            if_changed: false,
            refuse_warnings: false,
            plan: PlanConfirmation::default(),
        };
        registry.publish_version(&caller, input).await?;
        let input = CreateServiceToken::for_all("gateway", [ServiceScope::ConfigsRead]);
        let token = registry.create_service_token(&caller, input).await?.value.secret.ok_or("no secret")?;
        let world = Self { service, database, agent, token };
        world.warm().await?;
        Ok(world)
    }

    /// Waits until the configuration and the token are cached.
    async fn warm(&self) -> Result<(), Failure> {
        let door = self.service.state();
        let origin = Caller::system("parts").origin;
        for _ in 0..100 {
            let proven = door.registry.verify_credential(&self.token).await?;
            let caller = door.hub.look_up(proven, &self.token, &origin).await?;
            door.hub
                .active_config(&door.registry.reading(&caller), self.agent, &EnvironmentKey::default())
                .await?;
            if door.hub.cached_config(&self.token, self.agent).is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the configuration wasn't cached in time".into())
    }
}

fn main() -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    let folder = std::env::temp_dir().join(format!("agent-registry-parts-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
    let world = runtime.block_on(World::new(folder.to_str().ok_or("a folder without a name")?))?;
    measure(&mut Criterion::default().configure_from_args(), &runtime, &world)?;
    let World { service, database, .. } = world;
    runtime.block_on(service.run(async {}));
    runtime.block_on(database.leave());
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A request body of 1 MiB with typical tools of a version.
fn body_of_tools() -> Vec<u8> {
    let tool = json!({
        "name": "find_section", "description": "Finds a section of the building code\nby its \"title\"",
        "input_schema": {
            "type": "object",
            "properties": {
                "query": { "type": "string", "description": "What to look for", "maxLength": 200 },
                "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 },
            },
            "required": ["query"], "additionalProperties": false,
        },
    });
    json!({ "tools": vec![&tool; 1024 * 1024 / tool.to_string().len()] }).to_string().into_bytes()
}

fn measure(criterion: &mut Criterion, runtime: &Runtime, world: &World) -> Result<(), Failure> {
    let (door, front) = (world.service.state(), graphql::front()?);
    criterion.bench_function("a document is checked", |bench| {
        bench.iter(|| front.check(black_box(QUERY).into()));
    });
    let document = front.check(QUERY.into())?;
    let variables: json_reader::Object =
        [("id".to_owned(), json_reader::Json::String(world.agent.to_string()))].into_iter().collect();
    criterion.bench_function("an operation of a checked document is prepared", |bench| {
        bench.iter(|| front.prepare(black_box(&document), None, Some(&variables)));
    });
    let caller = Caller::system("parts");
    let operation = Operation {
        query: Some(QUERY.to_owned()),
        variables: Some([("id".to_owned(), world.agent.to_string().into())].into_iter().collect()),
        ..Operation::default()
    };
    criterion.bench_function("a known document is found and accepted", |bench| {
        bench.iter(|| door.api.accept(black_box(&operation).clone(), &caller).map_err(|_| "refused"));
    });
    criterion.bench_function("a token's form is checked", |bench| {
        bench.iter(|| runtime.block_on(door.registry.verify_credential(black_box(&world.token))));
    });
    let _inside = runtime.enter();
    criterion.bench_function("a token and a configuration, from memory, under the lease", |bench| {
        bench.iter(|| door.hub.cached_config(black_box(&world.token), black_box(world.agent)));
    });
    let body = body_of_tools();
    criterion.bench_function("1 MiB of JSON is read", |bench| {
        bench.iter(|| json_reader::read(black_box(&body), &json_reader::Limits::DEFAULT));
    });
    criterion.bench_function("1 MiB of JSON is read by serde_json", |bench| {
        #[expect(clippy::disallowed_methods, reason = "the baseline of our reader")]
        bench.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&body)));
    });
    let content = content();
    criterion.bench_function("check and hashes of a version", |bench| {
        bench.iter(|| black_box(&content).clone().check())
    });
    criterion.final_summary();
    Ok(())
}
