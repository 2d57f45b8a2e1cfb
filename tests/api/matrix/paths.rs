//! The paths to an object of each type.

/// Mutations that change nothing, or nothing that a query reads. `%` stands for the payload's selection.
const MUTATIONS: &[(&str, &str)] = &[
    ("ACTIVATE", "activateVersion(input: { agentId: <agent>, versionId: <version> }) { % }"),
    (
        "PLANNED",
        "activateVersion(input: { agentId: <agent>, versionId: <version>, planHash: \"0000000000000000000000000000000000000000000000000000000000000000\" }) { % }",
    ),
    ("UPDATE", "updateAgent(input: { agentId: <spare>, description: \"as it is\" }) { % }"),
    (
        "PUBLISH",
        "publishVersion(input: { agentId: <spare>, systemPrompt: \"{{place}}\", modelName: \"m\", message: \"why\" }) { % }",
    ),
    ("REVOKE", "revokeApiKey(input: { apiKeyId: <key> }) { % }"),
    ("REOPEN", "restoreEnvironment(input: { environmentId: <environment> }) { % }"),
    ("THAW", "restoreAgent(input: { agentId: <frozen> }) { % }"),
    ("PROMOTE", "changeMemberRole(input: { customerId: <customer>, userId: <user>, role: EDITOR }) { % }"),
    ("REFUSED", "createAgent(input: { customerId: <customer>, name: \"\" }) { % }"),
    ("RETIRE", "revokeServiceToken(input: { serviceTokenId: <token> }) { % }"),
    ("REPORT", "reportServing(input: { gatewayName: \"matrix\", revision: \"1\" }) { % }"),
];

/// Paths to an object of each type: `@` stands for the selected field, and `<…>` for ids. Edges are reached through
/// each connection, page info through one connection of each type.
pub(super) const PATHS: &[(&str, &str)] = &[
    ("ActivationPlan", "{ activationPlan(agentId: <agent>, versionId: <version>) { @ } }"),
    (
        "ActivationPlan",
        "{ planned: activationPlan(agentId: <agent>, content: { systemPrompt: \"another\", modelName: \"m\" }) { @ } }",
    ),
    ("ActivationPlan", "PLANNED plan { @ }"),
    ("Activation", "{ node(id: <activation>) { ... on Activation { @ } } }"),
    ("Activation", "{ agent(id: <agent>) { activations { nodes { @ } } } }"),
    ("Activation", "ACTIVATE activation { @ }"),
    ("ActivationConnection", "{ agent(id: <agent>) { activations { @ } } }"),
    ("ActivationConnection", "{ customer(id: <customer>) { activations { @ } } }"),
    ("ActivationConnection", "{ activations(customerId: <customer>) { @ } }"),
    ("ActiveConfig", "{ activeConfig(agentId: <agent>) { @ } }"),
    ("ActiveConfig", "{ frozen: activeConfig(agentId: <frozen>) { @ } }"),
    ("Actor", "{ node(id: <version>) { ... on AgentVersion { createdBy { @ } } } }"),
    ("Actor", "{ node(id: <activation>) { ... on Activation { activatedBy { @ } } } }"),
    ("Actor", "{ changes(customerId: <customer>, last: 100) { nodes { actor { @ } } } }"),
    ("Actor", "{ watchers { nodes { actor { @ } } } }"),
    ("Actor", "{ customer(id: <customer>) { apiKeys { nodes { createdBy { @ } } } } }"),
    ("Actor", "{ customer(id: <customer>) { invitations { nodes { invitedBy { @ } } } } }"),
    ("Actor", "RETIRE serviceToken { createdBy { @ } }"),
    ("Agent", "{ agent(id: <agent>) { @ } }"),
    ("Agent", "{ archived: agent(id: <archived>) { @ } }"),
    ("Agent", "{ changes(customerId: <customer>, filter: { agentId: <agent> }) { nodes { agent { @ } } } }"),
    ("Agent", "UPDATE agent { @ }"),
    ("Agent", "THAW agent { @ }"),
    ("Agent", "ACTIVATE agent { @ }"),
    ("AgentConnection", "{ agents(customerId: <customer>) { @ } }"),
    ("AgentConnection", "{ customer(id: <customer>) { agents { @ } } }"),
    ("AgentConnection", "{ node(id: <user>) { ... on User { agents { @ } } } }"),
    ("AgentVersion", "{ node(id: <version>) { ... on AgentVersion { @ } } }"),
    ("AgentVersion", "{ agent(id: <agent>) { activeVersion { @ } } }"),
    (
        "AgentVersion",
        "{ changes(customerId: <customer>, filter: { agentId: <agent> }) { nodes { version { @ } } } }",
    ),
    ("AgentVersion", "ACTIVATE agent { activeVersion { @ } }"),
    ("AgentVersion", "PUBLISH version { @ }"),
    ("AgentVersion", "{ frozen: node(id: <frozenVersion>) { ... on AgentVersion { @ } } }"),
    ("AgentVersion", "{ frozen: agent(id: <frozen>) { activeVersion { @ } } }"),
    ("AgentVersionConnection", "{ agent(id: <agent>) { versions { @ } } }"),
    ("ApiKey", "{ customer(id: <customer>) { apiKeys { nodes { @ } } } }"),
    ("ApiKey", "{ node(id: <key>) { ... on ApiKey { @ } } }"),
    (
        "ApiKey",
        "{ changes(customerId: <customer>, last: 100) { nodes { subject { ... on ApiKey { @ } } } } }",
    ),
    ("ApiKey", "REVOKE apiKey { @ }"),
    ("ApiKeyConnection", "{ customer(id: <customer>) { apiKeys { @ } } }"),
    ("AuditStatus", "{ auditStatus { @ } }"),
    ("Billing", "{ customer(id: <customer>) { billing { @ } } }"),
    ("Change", "{ changes(customerId: <customer>, last: 100) { nodes { @ } } }"),
    ("Change", "{ customer(id: <customer>) { changes(last: 100) { nodes { @ } } } }"),
    ("Change", "{ agent(id: <agent>) { changes(last: 100) { nodes { @ } } } }"),
    ("ChangeConnection", "{ changes(customerId: <customer>) { @ } }"),
    ("ChangeConnection", "{ customer(id: <customer>) { changes { @ } } }"),
    ("ChangeConnection", "{ agent(id: <agent>) { changes { @ } } }"),
    ("Customer", "{ customer(id: <customer>) { @ } }"),
    ("Customer", "{ changes(customerId: <customer>) { nodes { customer { @ } } } }"),
    ("Customer", "{ agent(id: <agent>) { customer { @ } } }"),
    ("Customer", "{ frozen: agent(id: <frozen>) { customer { @ } } }"),
    ("Convergence", "{ convergence(agentId: <agent>) { @ } }"),
    ("Convergence", "{ customer(id: <customer>) { environments { convergence { @ } } } }"),
    ("Convergence", "{ agent(id: <agent>) { serving { convergence { @ } } } }"),
    ("Convergence", "{ node(id: <activation>) { ... on Activation { convergence { @ } } } }"),
    ("CustomerConnection", "{ customers(filter: { name: <name> }) { @ } }"),
    ("Environment", "{ node(id: <environment>) { ... on Environment { @ } } }"),
    ("Environment", "{ customer(id: <customer>) { environments(archived: true) { @ } } }"),
    ("Environment", "{ node(id: <activation>) { ... on Activation { environment { @ } } } }"),
    ("Environment", "{ changes(customerId: <customer>, last: 100) { nodes { environment { @ } } } }"),
    ("Environment", "REOPEN environment { @ }"),
    ("Gateway", "{ gateways { nodes { @ } } }"),
    ("GatewayConnection", "{ gateways { @ } }"),
    ("ServingRejection", "{ convergence(agentId: <agent>) { rejections { @ } } }"),
    ("ServingRejection", "{ gateways { nodes { rejections { @ } } } }"),
    ("Instance", "{ instance { @ } }"),
    ("Invitation", "{ customer(id: <customer>) { invitations { nodes { @ } } } }"),
    ("Invitation", "{ node(id: <invitation>) { ... on Invitation { @ } } }"),
    ("InvitationConnection", "{ customer(id: <customer>) { invitations { @ } } }"),
    ("Membership", "{ customer(id: <customer>) { members { nodes { @ } } } }"),
    ("Membership", "PROMOTE membership { @ }"),
    ("MembershipConnection", "{ customer(id: <customer>) { members { @ } } }"),
    ("DiffHunk", "{ agent(id: <agent>) { diff(from: 1, to: 2) { hunks { @ } } } }"),
    ("DiffLine", "{ agent(id: <agent>) { diff(from: 1, to: 2) { hunks { lines { @ } } } } }"),
    ("FieldChange", "{ agent(id: <agent>) { diff(from: 1, to: 2) { changes { @ } } } }"),
    ("FieldChange", "{ changes(customerId: <customer>, last: 100) { nodes { fieldChanges { @ } } } }"),
    ("Finding", "{ agent(id: <agent>) { diff(from: 1, to: 2) { findings { @ } } } }"),
    ("Identity", "{ node(id: <user>) { ... on User { identities { @ } } } }"),
    ("Identity", "{ customer(id: <customer>) { members { nodes { user { identities { @ } } } } } }"),
    ("NotServed", "{ activeConfigResult(agentId: <archived>) { ... on NotServed { @ } } }"),
    ("Node", "{ node(id: <agent>) { @ } }"),
    ("Node", "{ nodes(ids: [<version>]) { @ } }"),
    ("PendingInvitation", "{ viewer { pendingInvitations { @ } } }"),
    ("PlanLimits", "{ plans { @ } }"),
    ("PinnedConfig", "{ pinnedConfig(agentId: <agent>, versionId: <version>) { @ } }"),
    ("PinnedConfig", "{ frozen: pinnedConfig(agentId: <frozen>, versionId: <frozenVersion>) { @ } }"),
    ("Quota", "{ customer(id: <customer>) { usage { agents { @ } } } }"),
    ("ServiceToken", "RETIRE serviceToken { @ }"),
    ("ServiceToken", "{ node(id: <token>) { ... on ServiceToken { @ } } }"),
    ("Session", "{ viewer { sessions { @ } } }"),
    ("Serving", "{ agent(id: <agent>) { servings { @ } } }"),
    ("Serving", "ACTIVATE serving { @ }"),
    ("PolicyFinding", "{ activationPlan(agentId: <agent>) { policy { @ } } }"),
    ("Tool", "{ node(id: <version>) { ... on AgentVersion { tools { @ } } } }"),
    ("Tool", "{ activeConfig(agentId: <agent>) { tools { @ } } }"),
    ("Tool", "{ pinnedConfig(agentId: <agent>, versionId: <version>) { tools { @ } } }"),
    ("Usage", "{ customer(id: <customer>) { usage { @ } } }"),
    ("User", "{ node(id: <user>) { ... on User { @ } } }"),
    ("User", "{ agent(id: <agent>) { owner { @ } } }"),
    ("User", "{ node(id: <version>) { ... on AgentVersion { createdBy { user { @ } } } } }"),
    (
        "User",
        "{ changes(customerId: <customer>, filter: { actorKind: USER }) { nodes { actor { user { @ } } } } }",
    ),
    ("User", "{ customer(id: <customer>) { members { nodes { user { @ } } } } }"),
    ("User", "{ viewer { user { @ } } }"),
    ("UserError", "REFUSED userErrors { @ }"),
    ("VersionDiff", "{ agent(id: <agent>) { diff(from: 1, to: 2) { @ } } }"),
    ("Viewer", "{ viewer { @ } }"),
    (
        "Warning",
        "{ versionWarnings(content: { modelName: \"m\", systemPrompt: \"ghp_0123456789abcdefghijklmnopqrstuvwxyz\", tools: [{ name: \"a b\" }] }) { @ } }",
    ),
    ("ActivationCount", "{ activationCounts(customerId: <customer>, since: <yesterday>) { @ } }"),
    (
        "ChangeCount",
        "{ changeCounts(customerId: <customer>, filter: { since: <yesterday> }, groupBy: [DAY, ACTION, ACTOR, AGENT, CUSTOMER]) { @ } }",
    ),
    ("ModelInUse", "{ modelsInUse(customerId: <customer>) { @ } }"),
    ("ToolInUse", "{ toolsInUse(customerId: <customer>) { @ } }"),
    ("ServiceToken", "{ serviceTokens { nodes { @ } } }"),
    ("ServiceTokenConnection", "{ serviceTokens { @ } }"),
    ("User", "{ users { nodes { @ } } }"),
    ("UserConnection", "{ users { @ } }"),
    ("Watcher", "{ watchers { nodes { @ } } }"),
    ("WatcherConnection", "{ watchers { @ } }"),
    ("ViewerMembership", "{ viewer { memberships { @ } } }"),
];

/// Fields that no caller gets a value of here, with the reason. The test fails when a caller gets a value of such a
/// field, or when it no longer exists.
pub(super) const EXEMPT: &[(&str, &str)] = &[
    ("Viewer.pendingInvitations", "no caller's token has an address; tests/api/identity.rs"),
    ("PendingInvitation.blockedBy", "no caller's token has an address; tests/api/identity.rs"),
    ("PendingInvitation.customerName", "no caller's token has an address; tests/api/identity.rs"),
    ("PendingInvitation.expiresAt", "no caller's token has an address; tests/api/identity.rs"),
    ("PendingInvitation.role", "no caller's token has an address; tests/api/identity.rs"),
    ("Actor.serviceToken", "no service acts or watches; tests/api/graph/nodes.rs"),
    ("Instance.behind", "0 when the instance has applied the log"),
    ("Instance.problems", "empty when the instance is ready; tests/api/graph/status.rs"),
    ("Invitation.acceptUrl", "the service has no PUBLIC_URL; tests/api/graph/nodes.rs"),
    ("Viewer.sessions", "no caller is signed in by a session; tests/api/session"),
    ("Session.id", "no caller is signed in by a session; tests/api/session"),
    ("Session.isCurrent", "no caller is signed in by a session; tests/api/session"),
    ("Session.createdAt", "no caller is signed in by a session; tests/api/session"),
    ("Session.lastSeenAt", "no caller is signed in by a session; tests/api/session"),
    ("Session.expiresAt", "no caller is signed in by a session; tests/api/session"),
    ("Session.network", "no caller is signed in by a session; tests/api/session"),
    ("Session.client", "no caller is signed in by a session; tests/api/session"),
    ("Customer.erasedAt", "set by erasure, which leaves the customer without members"),
    ("Watcher.behind", "0 when the watcher is up to date"),
    ("Convergence.applied", "the only gateway refuses the version; tests/api/applied"),
    ("Convergence.late", "the only gateway has just reported; tests/api/applied"),
    ("Convergence.pending", "the only gateway refuses the version; tests/api/applied"),
    ("Convergence.silent", "no gateway is subscribed; tests/api/applied"),
    ("Convergence.p50Seconds", "the only gateway refuses the version; tests/api/applied"),
    ("Convergence.p90Seconds", "the only gateway refuses the version; tests/api/applied"),
    ("Convergence.allSeconds", "the only gateway refuses the version; tests/api/applied"),
    ("Gateway.behind", "the gateway has applied the log's head; tests/api/applied"),
    ("Gateway.clientName", "the gateway reports by HTTP; tests/api/applied"),
    ("Gateway.clientVersion", "the gateway reports by HTTP; tests/api/applied"),
    ("Gateway.deliveredRevision", "the gateway isn't subscribed; tests/api/applied"),
    ("Watcher.clientName", "the watcher's socket sent no clientInfo; tests/api/applied"),
    ("Watcher.clientVersion", "the watcher's socket sent no clientInfo; tests/api/applied"),
    ("ActivationPlan.mustConfirm", "the environment's rules ask nothing; tests/api/plan/confirm.rs"),
];

/// Types without a path of their own. Roots are tested by `coverage`, with a row for each field. Configurations
/// come only in events, tested by `service` and, for each kind of caller, by `configs`; events of customers are tested by
/// `graph`. A union has no fields of its own.
pub(super) const ROOTS: [&str; 7] = [
    "Query",
    "Mutation",
    "Subscription",
    "ConfigEvent",
    "CustomerEvent",
    "ActiveConfigResult",
    "ChangeSubject",
];

/// The query of this path.
pub(super) fn template(way: &str) -> String {
    let Some((word, rest)) = way.split_once(' ').filter(|(word, _)| *word != "{") else {
        return way.to_owned();
    };
    let (_, mutation) = MUTATIONS.iter().find(|(name, _)| *name == word).unwrap();
    let rest =
        if rest.contains("userErrors") { rest.to_owned() } else { format!("{rest} userErrors {{ code }}") };
    format!("mutation {{ {} }}", mutation.replace('%', &rest))
}

/// The path in the table: the names of its fields.
pub(super) fn name(template: &str) -> String {
    let way = template.split('@').next().unwrap_or_default();
    let (mut names, mut depth) = (String::new(), 0);
    for letter in way.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => names.push(letter),
            _ => {}
        }
    }
    let names = names.split(|letter: char| !letter.is_alphanumeric());
    let is_field = |name: &&str| name.starts_with(char::is_lowercase) && !["on", "mutation"].contains(name);
    names.filter(is_field).collect::<Vec<_>>().join(".")
}
