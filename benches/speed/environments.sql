-- Seven environments more for each customer, in which each agent serves and has been activated as in `production`.
SET session_replication_role = replica;
INSERT INTO registry.environments (id, customer_id, key, name, rank, is_default, on_breaking, activate_role, created_at, updated_at)
SELECT gen_random_uuid(), customer_id, 'place-' || n, 'Place ' || n, n, false, 'ALLOW', 'EDITOR', now(), now()
FROM registry.environments, generate_series(1, 7) AS n WHERE is_default;
INSERT INTO registry.servings (customer_id, agent_id, environment_id, environment_key, active_version_id, activated_at, config_revision)
SELECT s.customer_id, s.agent_id, e.id, e.key, s.active_version_id, s.activated_at, s.config_revision
FROM registry.servings AS s JOIN registry.environments AS e USING (customer_id)
WHERE s.environment_key = 'production' AND NOT e.is_default;
INSERT INTO registry.activations (id, customer_id, agent_id, environment_id, version_id, previous_version_id, reason, activated_by_kind,
    activated_by_id, activated_at, revision, position, cursor_hash)
SELECT gen_random_uuid(), a.customer_id, a.agent_id, e.id, a.version_id, a.previous_version_id, a.reason, a.activated_by_kind,
    a.activated_by_id, a.activated_at, a.revision, 10 + e.rank, a.cursor_hash
FROM registry.activations AS a JOIN registry.environments AS e USING (customer_id) WHERE NOT e.is_default;
SET session_replication_role = DEFAULT;
