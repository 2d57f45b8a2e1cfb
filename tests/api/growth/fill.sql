-- Rows of a large registry, inserted at once: AGENTS agents of CUSTOMERS customers, with VERSIONS versions each. One
-- customer has a fifth of all agents, one only the oldest, one only the newest, and all others share the rest. An
-- agent's log entries are consecutive, so any revision is the end of some agent's history. Ids are in the order of
-- their numbers. Hashes are invalid, because no test here verifies the chain.
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.named(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex(n), 8, '0') || '-' || kind || '-7000-8000-000000000000')::uuid;
CREATE FUNCTION pg_temp.customer_of(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE WHEN n <= 30 THEN 2 WHEN n > AGENTS - 30 THEN 3 WHEN n % 5 = 0 THEN 1 ELSE 4 + n * 7919 % (CUSTOMERS - 3) END;
CREATE FUNCTION pg_temp.model_of(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN n > AGENTS - 60 THEN 'model rare' WHEN n % 10 < 6 THEN 'model common' ELSE 'model other' END;

INSERT INTO registry.customers (id, name, plan, created_at, updated_at)
SELECT pg_temp.named('c000', n), 'City ' || n, 'ENTERPRISE', now(), now() FROM generate_series(1, CUSTOMERS) AS n;

INSERT INTO registry.environments (id, customer_id, key, name, rank, is_default, on_breaking, activate_role, created_at, updated_at)
SELECT pg_temp.named('8000', n), pg_temp.named('c000', n), 'production', 'Production', 0, true, 'ALLOW', 'EDITOR', now(), now()
FROM generate_series(1, CUSTOMERS) AS n;

-- A user of each customer owns its agents. The first customer has 1,000 more users. The last user is a member of
-- many customers.
INSERT INTO registry.users (id, issuer, subject, email, created_at)
SELECT pg_temp.named('d000', n), 'urn:agent-registry:local', 'user ' || n, 'user' || n || '@example.com', now()
FROM generate_series(1, CUSTOMERS + 1000) AS n;
-- The triggers are off here.
INSERT INTO registry.identities (issuer, subject, user_id, created_at)
SELECT issuer, subject, id, created_at FROM registry.users ON CONFLICT DO NOTHING;
INSERT INTO registry.memberships (customer_id, user_id, role, created_at)
SELECT pg_temp.named('c000', CASE WHEN n > CUSTOMERS THEN 1 ELSE n END), pg_temp.named('d000', n), 'ADMIN', now()
FROM generate_series(1, CUSTOMERS + 1000) AS n;
INSERT INTO registry.memberships (customer_id, user_id, role, created_at)
SELECT pg_temp.named('c000', n), pg_temp.named('d000', CUSTOMERS + 1000), 'ADMIN', now() FROM generate_series(2, 21) AS n;

INSERT INTO registry.invitations (id, customer_id, email, role, invited_by_kind, created_at, expires_at)
SELECT pg_temp.named('e000', n), pg_temp.named('c000', CASE WHEN n > CUSTOMERS THEN 1 ELSE n END), 'guest' || n || '@example.com', 'VIEWER',
    'USER', now(), now() + CASE WHEN n > CUSTOMERS AND n <= CUSTOMERS + 2900 THEN '-1 day' ELSE '1 day' END::interval
FROM generate_series(1, CUSTOMERS + 3000) AS n;
INSERT INTO registry.api_keys (id, customer_id, name, secret_hash, scopes, created_by_kind, created_at)
SELECT pg_temp.named('f000', n), pg_temp.named('c000', CASE WHEN n > CUSTOMERS THEN 1 ELSE n END), 'key', sha256(n::text::bytea),
    ARRAY['agents:read'], 'USER', now()
FROM generate_series(1, CUSTOMERS + 1000) AS n;

INSERT INTO registry.agents (id, customer_id, name, owner_id, latest_number, active_version_id, activated_at, active_model_name,
    config_revision, name_revision, archived_at, created_at, updated_at)
SELECT pg_temp.named('a000', n), pg_temp.named('c000', pg_temp.customer_of(n)),
    CASE WHEN n > AGENTS - 60 THEN 'Zebra ' || n ELSE 'Desk ' || substr(md5(n::text), 1, 8) || n END,
    pg_temp.named('d000', pg_temp.customer_of(n)), VERSIONS,
    CASE WHEN n % 1000 > 0 THEN pg_temp.named('b000', n * VERSIONS) END, CASE WHEN n % 1000 > 0 THEN now() END,
    CASE WHEN n % 1000 > 0 THEN pg_temp.model_of(n) END,
    n * (VERSIONS + 4), CASE WHEN n % 100 = 50 THEN n * (VERSIONS + 4) ELSE 0 END, CASE WHEN n % 1000 = 0 THEN now() END, now(), now()
FROM generate_series(1, AGENTS) AS n;
INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
SELECT a.customer_id, a.id, place, substr(a.name_lower, place, 40)
FROM registry.agents AS a, generate_series(1, char_length(a.name_lower)) AS place;
INSERT INTO registry.agent_active_tools (customer_id, agent_id, tool_name)
SELECT pg_temp.named('c000', pg_temp.customer_of(n)), pg_temp.named('a000', n), tool
FROM generate_series(1, AGENTS) AS n, unnest(ARRAY[CASE WHEN n > AGENTS - 60 THEN 'rare' END, 'common']) AS tool
WHERE tool IS NOT NULL AND n % 1000 > 0;

INSERT INTO registry.agent_versions (id, customer_id, agent_id, number, system_prompt, model_name, model_parameters, tools,
    content_hash, created_by_kind, created_by_id, created_at)
SELECT pg_temp.named('b000', (n - 1) * VERSIONS + v), pg_temp.named('c000', pg_temp.customer_of(n)), pg_temp.named('a000', n), v,
    repeat('You help residents. ', 10), pg_temp.model_of(n), '{}', '[{"name": "common"}]', sha256('x'), 'USER',
    pg_temp.named('d000', pg_temp.customer_of(n)), now()
FROM generate_series(1, AGENTS) AS n, generate_series(1, VERSIONS) AS v;

INSERT INTO registry.servings (customer_id, agent_id, environment_id, environment_key, active_version_id, activated_at, config_revision)
SELECT a.customer_id, a.id, e.id, e.key, a.active_version_id, a.activated_at, a.config_revision
FROM registry.agents AS a JOIN registry.environments AS e ON e.customer_id = a.customer_id;
INSERT INTO registry.activations (id, customer_id, agent_id, environment_id, version_id, previous_version_id, reason, activated_by_kind,
    activated_by_id, activated_at, revision, position, cursor_hash)
SELECT pg_temp.named('9000', n * 3 + v), pg_temp.named('c000', pg_temp.customer_of(n)), pg_temp.named('a000', n),
    pg_temp.named('8000', pg_temp.customer_of(n)), CASE WHEN v < 3 OR n % 1000 > 0 THEN pg_temp.named('b000', (n - 1) * VERSIONS + VERSIONS - 3 + v) END,
    CASE WHEN v > 1 THEN pg_temp.named('b000', (n - 1) * VERSIONS + VERSIONS - 4 + v) END,
    CASE WHEN v = 3 AND n % 1000 = 0 THEN 'ARCHIVE' ELSE 'ACTIVATE' END, 'USER',
    pg_temp.named('d000', pg_temp.customer_of(n)), now(), (n - 1) * (VERSIONS + 4) + VERSIONS + 1 + v, 1, '\x00'
FROM generate_series(1, AGENTS) AS n, generate_series(1, 3) AS v;
INSERT INTO registry.rollback_targets (customer_id, agent_id, version_id, place)
SELECT pg_temp.named('c000', pg_temp.customer_of(n)), pg_temp.named('a000', n),
    pg_temp.named('b000', (n - 1) * VERSIONS + VERSIONS - 3 + v), v
FROM generate_series(1, AGENTS) AS n, generate_series(1, 3) AS v WHERE v < 3 OR n % 1000 > 0;

INSERT INTO registry.listed_servings (customer_id, agent_id, environment_key, active_version_id, model_name, active_number,
    latest_number, last_activated_at)
SELECT a.customer_id, a.id, 'production', a.active_version_id, a.active_model_name, CASE WHEN a.active_version_id IS NOT NULL THEN VERSIONS END,
    VERSIONS, now() - (row_number() OVER (ORDER BY a.id)) * '1 second'::interval
FROM registry.agents AS a;
-- A tenth has never served.
UPDATE registry.listed_servings SET active_version_id = NULL, model_name = NULL, active_number = NULL, last_activated_at = NULL
WHERE get_byte(uuid_send(agent_id), 3) % 10 = 7;
INSERT INTO registry.listed_agents (customer_id, agent_id, updated_at)
SELECT a.customer_id, a.id, now() - (row_number() OVER (ORDER BY a.id DESC)) * '1 second'::interval FROM registry.agents AS a;
INSERT INTO registry.version_tools (customer_id, agent_id, version_id, tool_name)
SELECT v.customer_id, v.agent_id, v.id, 'common' FROM registry.agent_versions AS v;
INSERT INTO registry.customer_name_ends (customer_id, position, ending)
SELECT c.id, place, substr(c.name_folded, place, 40) FROM registry.customers AS c, generate_series(1, char_length(c.name_folded)) AS place;
INSERT INTO registry.customer_activity (customer_id, minute)
SELECT c.id, date_trunc('minute', now()) - (row_number() OVER (ORDER BY c.id)) * '1 minute'::interval FROM registry.customers AS c;
INSERT INTO registry.user_ends (user_id, part, position, ending)
SELECT u.id, 'E', place, substr(u.email, place, 40) FROM registry.users AS u, generate_series(1, char_length(u.email)) AS place;
INSERT INTO registry.service_tokens (id, name, secret_hash, scopes, created_at)
SELECT pg_temp.named('7000', n), 'token', sha256(n::text::bytea), ARRAY['configs:read'], now() FROM generate_series(1, 2000) AS n;

INSERT INTO registry.changes (revision, position, at, customer_id, agent_id, version_id, subject_id, action, actor_kind, actor_id,
    details, row_hash, chain_hash)
SELECT (n - 1) * (VERSIONS + 4) + k, 1, now() - (AGENTS - n) * '1 minute'::interval, pg_temp.named('c000', pg_temp.customer_of(n)),
    pg_temp.named('a000', n),
    CASE WHEN k BETWEEN 2 AND VERSIONS + 1 THEN pg_temp.named('b000', (n - 1) * VERSIONS + k - 1) END,
    CASE WHEN k > VERSIONS + 1 THEN pg_temp.named('9000', n * 3 + k - VERSIONS - 1) END,
    CASE WHEN k = 1 THEN 'agent.created' WHEN k <= VERSIONS + 1 THEN 'version.published' ELSE 'agent.activated' END,
    'USER', pg_temp.named('d000', pg_temp.customer_of(n)), '{}', sha256('x'), sha256('x')
FROM generate_series(1, AGENTS) AS n, generate_series(1, VERSIONS + 4) AS k;
-- Some agents are renamed, and each customer becomes a paying one.
INSERT INTO registry.changes (revision, position, at, customer_id, agent_id, action, actor_kind, details, row_hash, chain_hash)
SELECT n * (VERSIONS + 4), 2, now() - (AGENTS - n) * '1 minute'::interval, pg_temp.named('c000', pg_temp.customer_of(n)),
    pg_temp.named('a000', n), 'agent.updated', 'API_KEY', '{"before": {"name": "Old"}}', sha256('x'), sha256('x')
FROM generate_series(50, AGENTS, 100) AS n
UNION ALL
SELECT n * (VERSIONS + 4), 3, now() - (AGENTS - n) * '1 minute'::interval, pg_temp.named('c000', n), NULL,
    'customer.billing_status_set', 'OPERATOR', '{"after": "ACTIVE", "before": "TRIALING"}', sha256('x'), sha256('x')
FROM generate_series(1, CUSTOMERS) AS n;
-- A session of each user, and one of the last user for each agent.
INSERT INTO registry.sessions (id, user_id, secret_hash, created_at, last_seen_at, expires_at)
SELECT pg_temp.named('5000', n), pg_temp.named('d000', least(n, CUSTOMERS + 1000)), sha256('x'), now(), now(),
    now() + CASE WHEN n > CUSTOMERS + 1000 THEN '0 hours' ELSE '20 hours' END::interval
FROM generate_series(1, CUSTOMERS + 1000 + AGENTS) AS n;
-- Some gateways, half of which have applied the log's end.
INSERT INTO registry.gateways (id, principal_kind, principal_id, name, environment_key, since, last_report_at, applied_revision,
    step_revisions, step_times)
SELECT pg_temp.named('6000', n), 'SERVICE', pg_temp.named('7000', 1), 'gw-' || n, 'production', now(), now(), r.at, ARRAY[r.at],
    ARRAY[now()]
FROM generate_series(1, 20) AS n, LATERAL (SELECT AGENTS * (VERSIONS + 4)::bigint * (n % 2) AS at) AS r;
UPDATE registry.log_head SET revision = AGENTS * (VERSIONS + 4), position = 1, at = now(), chain_hash = sha256('x');
COMMIT;
