-- Two customers whose lists are counted: 9001 has 60,000 rows in each list, 9002 has 10,000. An agent's name contains
-- `an` twice. The first agent of each has all versions, activations and log entries. 10,001 customers have one name.
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.named(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex(n), 8, '0') || '-' || kind || '-7000-8000-000000000000')::uuid;
CREATE TEMP TABLE entries ON COMMIT DROP AS
SELECT c, n, length, c * 100000 + n AS row FROM (VALUES (9001, 60000), (9002, 10000)) AS list (c, length), generate_series(1, length) AS n;

INSERT INTO registry.customers (id, name, plan, created_at, updated_at)
SELECT pg_temp.named('c000', n), CASE WHEN n > 20000 THEN 'Village' ELSE 'City ' || n END, 'ENTERPRISE', now(), now()
FROM generate_series(9001, 30001) AS n WHERE n < 9003 OR n > 20000;
INSERT INTO registry.environments (id, customer_id, key, name, rank, is_default, on_breaking, activate_role, created_at, updated_at)
SELECT pg_temp.named('8000', n), pg_temp.named('c000', n), 'production', 'Production', 0, true, 'ALLOW', 'EDITOR', now(), now()
FROM generate_series(9001, 30001) AS n WHERE n < 9003 OR n > 20000;
INSERT INTO registry.users (id, issuer, subject, created_at)
SELECT pg_temp.named('d000', n), 'urn:agent-registry:local', 'user ' || n, now() FROM generate_series(9001, 9002) AS n;
-- The triggers are off here.
INSERT INTO registry.identities (issuer, subject, user_id, created_at)
SELECT issuer, subject, id, created_at FROM registry.users ON CONFLICT DO NOTHING;
INSERT INTO registry.memberships (customer_id, user_id, role, created_at)
SELECT pg_temp.named('c000', c), pg_temp.named('d000', CASE n WHEN 1 THEN c ELSE row END), 'ADMIN', now() FROM entries;
INSERT INTO registry.invitations (id, customer_id, email, role, invited_by_kind, created_at, expires_at)
SELECT pg_temp.named('e000', row), pg_temp.named('c000', c), 'guest' || n || '@example.com', 'VIEWER', 'USER', now(), now() + '1 day'
FROM entries;
INSERT INTO registry.api_keys (id, customer_id, name, secret_hash, scopes, created_by_kind, created_at)
SELECT pg_temp.named('f000', row), pg_temp.named('c000', c), 'key', sha256(n::text::bytea), ARRAY['agents:read'], 'USER', now()
FROM entries;

INSERT INTO registry.agents (id, customer_id, name, owner_id, latest_number, active_model_name, created_at, updated_at)
SELECT pg_temp.named('a000', row), pg_temp.named('c000', c), 'Banana ' || n, pg_temp.named('d000', c),
    CASE n WHEN 1 THEN length ELSE 0 END, 'wide model', now(), now()
FROM entries;
INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
SELECT a.customer_id, a.id, place, substr(a.name_lower, place, 40)
FROM registry.agents AS a, generate_series(1, char_length(a.name_lower)) AS place WHERE a.active_model_name = 'wide model';
INSERT INTO registry.agent_active_tools (customer_id, agent_id, tool_name)
SELECT pg_temp.named('c000', c), pg_temp.named('a000', row), 'wide' FROM entries;
INSERT INTO registry.activations (id, customer_id, agent_id, environment_id, previous_version_id, reason, activated_by_kind, activated_at, revision,
    position, cursor_hash)
SELECT pg_temp.named('9000', row), pg_temp.named('c000', c), pg_temp.named('a000', c * 100000 + 1), pg_temp.named('8000', c), pg_temp.named('b000', row),
    'DEACTIVATE', 'SYSTEM', now(), row, 1, '\x00'
FROM entries;
INSERT INTO registry.changes (revision, position, at, customer_id, agent_id, action, actor_kind, details, row_hash, chain_hash)
SELECT row, 1, now(), pg_temp.named('c000', c), pg_temp.named('a000', c * 100000 + 1), 'agent.updated', 'SYSTEM', '{}', sha256('x'), sha256('x')
FROM entries;
UPDATE registry.log_head SET revision = (SELECT max(row) FROM entries), position = 1, at = now(), chain_hash = sha256('x');
COMMIT;
