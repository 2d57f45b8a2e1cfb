DROP TABLE registry.idempotency_keys;
DROP FUNCTION registry.claim_key(uuid, bytea, bytea, timestamptz, timestamptz);
DROP FUNCTION registry.scope_principal();
