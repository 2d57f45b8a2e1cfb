-- One table is the audit, the events and every cursor.

-- The head of the log: one row, locked until commit by whoever appends. That lock is what makes revisions gapless
-- and in commit order; a sequence gives neither (a reader at 7 would miss a 6 that commits later).
CREATE TABLE registry.log_head (
    one_row    boolean     NOT NULL DEFAULT true CONSTRAINT log_head_pkey PRIMARY KEY CONSTRAINT log_head_one_row CHECK (one_row),
    -- Names this log: the chain starts from it, so a cursor of another database is known as such.
    log_id     uuid        NOT NULL,
    revision   bigint      NOT NULL,
    position   integer     NOT NULL,
    at         timestamptz NOT NULL,
    chain_hash bytea       NOT NULL
);
INSERT INTO registry.log_head (log_id, revision, position, at, chain_hash)
SELECT id, 0, 0, '-infinity', sha256(convert_to('agent-registry change log ' || id, 'UTF8'))
FROM (SELECT gen_random_uuid() AS id) AS fresh;

-- No foreign key leads out of here: the log outlives what it tells of, and a key share taken after the head's lock
-- deadlocks with a writer that holds the row.
CREATE TABLE registry.changes (
    revision    bigint      NOT NULL,
    position    integer     NOT NULL,
    at          timestamptz NOT NULL,
    customer_id uuid,
    agent_id    uuid,
    version_id  uuid,
    subject_id  uuid,
    action      text        NOT NULL,
    actor_kind  text        NOT NULL,
    actor_id    uuid,
    request_id  text,
    -- Canonical JSON text (RFC 8785), kept as the very bytes that were hashed.
    details     text        NOT NULL CONSTRAINT changes_details CHECK (jsonb_typeof(details::jsonb) = 'object'),
    row_hash    bytea       NOT NULL,
    chain_hash  bytea       NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (revision, position)
);
CREATE INDEX changes_customer_idx ON registry.changes (customer_id, revision, position);
CREATE INDEX changes_agent_idx ON registry.changes (agent_id, revision, position);

CREATE TRIGGER changes_immutable BEFORE UPDATE OR DELETE ON registry.changes
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER changes_keep BEFORE TRUNCATE ON registry.changes EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER log_head_keep BEFORE TRUNCATE ON registry.log_head EXECUTE FUNCTION registry.refuse_truncate();

-- Entries without a customer (operators, service tokens, profiles) are the platform's; anyone's write may add them.
ALTER TABLE registry.changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY changes_read ON registry.changes FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY changes_insert ON registry.changes FOR INSERT WITH CHECK (
    (SELECT registry.scope()) = 'platform' OR customer_id IS NULL
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

-- One field as it enters a hash: its length in four bytes, then its bytes; NULL is a length that no text has.
CREATE FUNCTION registry.hash_field(value text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN '\xffffffff'::bytea
       ELSE int4send(octet_length(value)) || convert_to(value, 'UTF8') END;

CREATE FUNCTION registry.change_row_hash(
    revision bigint, "position" integer, at timestamptz, customer_id uuid, agent_id uuid, version_id uuid, subject_id uuid,
    action text, actor_kind text, actor_id uuid, request_id text, details text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    registry.hash_field(revision::text) || registry.hash_field("position"::text)
    || registry.hash_field(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || registry.hash_field(customer_id::text) || registry.hash_field(agent_id::text)
    || registry.hash_field(version_id::text) || registry.hash_field(subject_id::text)
    || registry.hash_field(action) || registry.hash_field(actor_kind) || registry.hash_field(actor_id::text)
    || registry.hash_field(request_id) || registry.hash_field(details));

-- The last statement of every write: locks the head, numbers, hashes, inserts, rings the bell. All changes of one
-- transaction share a revision. The clock is read under the lock, so that time never runs against the order.
CREATE FUNCTION registry.append_changes(entries jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    head    registry.log_head%ROWTYPE;
    entry   record;
    hash    bytea;
BEGIN
    SELECT * INTO STRICT head FROM registry.log_head FOR NO KEY UPDATE;
    head.revision := head.revision + 1;
    head.position := 0;
    head.at := greatest(clock_timestamp(), head.at);
    FOR entry IN
        SELECT e.* FROM jsonb_to_recordset(entries) AS e (
            customer_id uuid, agent_id uuid, version_id uuid, subject_id uuid, action text,
            actor_kind text, actor_id uuid, request_id text, details text)
    LOOP
        head.position := head.position + 1;
        hash := registry.change_row_hash(head.revision, head.position, head.at, entry.customer_id, entry.agent_id,
            entry.version_id, entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id, entry.details);
        head.chain_hash := sha256(head.chain_hash || hash);
        INSERT INTO registry.changes VALUES (head.revision, head.position, head.at, entry.customer_id, entry.agent_id,
            entry.version_id, entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id,
            entry.details, hash, head.chain_hash);
        IF entry.action IN ('agent.activated', 'agent.deactivated') THEN
            UPDATE registry.activations SET revision = head.revision, position = head.position,
                cursor_hash = substr(head.chain_hash, 1, 8)
            WHERE id = entry.subject_id;
        END IF;
        IF entry.action IN ('agent.activated', 'agent.deactivated', 'agent.updated') THEN
            UPDATE registry.agents SET config_revision = head.revision WHERE id = entry.agent_id;
        END IF;
    END LOOP;
    IF head.position = 0 THEN
        RAISE EXCEPTION 'a commit has at least one change' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE registry.log_head SET revision = head.revision, position = head.position, at = head.at, chain_hash = head.chain_hash;
    PERFORM pg_notify('registry_changes', head.revision::text);
    RETURN head.revision;
END
$$;
