-- From where a change came, and what keeps its hash from being guessed. Rows of before have none of it, and keep the
-- hash that they have: these columns enter it together, or not at all.
ALTER TABLE registry.changes
    ADD COLUMN channel text,
    -- The network that the request came from, never the address of one person: /24 or, of IPv6, /48.
    ADD COLUMN network text,
    -- A customer may be shown the bare hashes of others' rows. Without something in them that nobody knows, it could try
    -- until it has what they are the hashes of.
    ADD COLUMN salt    uuid;

DROP FUNCTION registry.append_changes(jsonb);
DROP FUNCTION registry.change_row_hash(bigint, integer, timestamptz, uuid, uuid, uuid, uuid, text, text, uuid, text, text);

CREATE FUNCTION registry.change_row_hash(
    revision bigint, "position" integer, at timestamptz, customer_id uuid, agent_id uuid, version_id uuid, subject_id uuid,
    action text, actor_kind text, actor_id uuid, request_id text, details text, channel text, network text, salt uuid)
    RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    registry.hash_field(revision::text) || registry.hash_field("position"::text)
    || registry.hash_field(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || registry.hash_field(customer_id::text) || registry.hash_field(agent_id::text)
    || registry.hash_field(version_id::text) || registry.hash_field(subject_id::text)
    || registry.hash_field(action) || registry.hash_field(actor_kind) || registry.hash_field(actor_id::text)
    || registry.hash_field(request_id) || registry.hash_field(details)
    || CASE WHEN coalesce(channel, network, salt::text) IS NULL THEN ''::bytea
       ELSE registry.hash_field(channel) || registry.hash_field(network) || registry.hash_field(salt::text) END);

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
        SELECT e.*, gen_random_uuid() AS salt FROM jsonb_to_recordset(entries) AS e (
            customer_id uuid, agent_id uuid, version_id uuid, subject_id uuid, action text,
            actor_kind text, actor_id uuid, request_id text, details text, channel text, network text)
    LOOP
        head.position := head.position + 1;
        hash := registry.change_row_hash(head.revision, head.position, head.at, entry.customer_id, entry.agent_id,
            entry.version_id, entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id,
            entry.details, entry.channel, entry.network, entry.salt);
        head.chain_hash := sha256(head.chain_hash || hash);
        INSERT INTO registry.changes (revision, position, at, customer_id, agent_id, version_id, subject_id, action,
            actor_kind, actor_id, request_id, details, channel, network, salt, row_hash, chain_hash)
        VALUES (head.revision, head.position, head.at, entry.customer_id, entry.agent_id, entry.version_id,
            entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id, entry.details,
            entry.channel, entry.network, entry.salt, hash, head.chain_hash);
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

-- Where the log begins: what comes up to here has been taken away, and the chain goes on from this hash. It moves forward
-- only, from the end of one commit to the end of another.
CREATE TABLE registry.log_floor (
    one_row    boolean NOT NULL DEFAULT true CONSTRAINT log_floor_pkey PRIMARY KEY CONSTRAINT log_floor_one_row CHECK (one_row),
    revision   bigint  NOT NULL,
    position   integer NOT NULL,
    chain_hash bytea   NOT NULL,
    -- How long every entry is kept, whoever asks for less: only the owner changes it.
    keep       interval NOT NULL DEFAULT '1 hour'
);
INSERT INTO registry.log_floor (revision, position, chain_hash)
SELECT 0, 0, sha256(convert_to('agent-registry change log ' || log_id, 'UTF8')) FROM registry.log_head;

CREATE FUNCTION registry.check_floor() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.revision, NEW.position, NEW.chain_hash) = (OLD.revision, OLD.position, OLD.chain_hash) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.revision > OLD.revision AND EXISTS (
        SELECT FROM registry.changes AS c WHERE (c.revision, c.position, c.chain_hash) = (NEW.revision, NEW.position, NEW.chain_hash)
    ) AND EXISTS (
        SELECT FROM registry.changes AS c WHERE (c.revision, c.position) = (NEW.revision + 1, 1)
    ) AND NOT EXISTS (
        SELECT FROM registry.changes AS c WHERE (c.revision, c.position) = (NEW.revision, NEW.position + 1)
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the log begins at the end of a later commit, or where it did' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER log_floor_rises BEFORE UPDATE OR DELETE ON registry.log_floor FOR EACH ROW EXECUTE FUNCTION registry.check_floor();
CREATE TRIGGER log_floor_keep BEFORE TRUNCATE ON registry.log_floor EXECUTE FUNCTION registry.refuse_truncate();

-- An entry goes only once the log begins after it.
CREATE FUNCTION registry.check_change_removal() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revision <= (SELECT revision FROM registry.log_floor) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of changes never change' USING ERRCODE = 'restrict_violation';
END
$$;
DROP TRIGGER changes_immutable ON registry.changes;
CREATE TRIGGER changes_immutable BEFORE UPDATE ON registry.changes
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER changes_removal BEFORE DELETE ON registry.changes
    FOR EACH ROW EXECUTE FUNCTION registry.check_change_removal();
CREATE POLICY changes_prune ON registry.changes FOR DELETE USING (
    (SELECT registry.scope()) = 'platform' AND revision <= (SELECT revision FROM registry.log_floor));

-- Takes away about `most` of the oldest entries, all of them from before `until` by the database's own clock at the latest
-- `keep` ago, by whole commits, and records that it did: so whoever checks the chain is told from where, by the chain itself. The last commit always stays. Answers where
-- the log begins now; NULL when there was nothing to take away. It runs as the owner, because the service's own role may
-- not delete entries.
CREATE FUNCTION registry.prune_changes(until timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    floor   registry.log_floor%ROWTYPE;
    target  bigint;
    risen   registry.log_floor%ROWTYPE;
BEGIN
    SELECT * INTO STRICT floor FROM registry.log_floor FOR NO KEY UPDATE;
    SELECT c.revision INTO target FROM (
        SELECT revision FROM registry.changes
        WHERE revision > floor.revision AND at < least(until, clock_timestamp() - floor.keep) AND revision < (SELECT revision FROM registry.log_head)
        ORDER BY revision, position LIMIT most) AS c ORDER BY c.revision DESC LIMIT 1;
    -- An entry that only tells of a pruning is no reason for another.
    IF target IS NULL OR NOT EXISTS (
        SELECT FROM registry.changes AS c
        WHERE c.revision > floor.revision AND c.revision <= target AND c.action <> 'log.pruned') THEN
        RETURN NULL;
    END IF;
    UPDATE registry.log_floor SET (revision, position, chain_hash) = (
        SELECT c.revision, c.position, c.chain_hash FROM registry.changes AS c
        WHERE c.revision = target ORDER BY c.position DESC LIMIT 1)
    RETURNING * INTO risen;
    DELETE FROM registry.changes WHERE revision <= target;
    PERFORM registry.append_changes(jsonb_build_array(jsonb_build_object(
        'action', 'log.pruned', 'actor_kind', 'SYSTEM', 'channel', 'SERVICE', 'request_id', 'retention',
        'details', format('{"after":{"chain_hash":"%s","position":%s,"revision":%s},"before":{"revision":%s}}',
            encode(risen.chain_hash, 'hex'), risen.position, risen.revision, floor.revision))));
    RETURN risen.revision;
END
$$;
REVOKE ALL ON FUNCTION registry.prune_changes(timestamptz, integer) FROM PUBLIC;

-- The first commit that took its number at this moment or after it; NULL when there is none yet. Numbers of commits are no
-- secret, so this looks at everybody's, which the index has in order. The scope is the caller's again at its end.
CREATE FUNCTION registry.revision_at(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    scope text := coalesce(current_setting('registry.scope', true), '');
    found bigint;
BEGIN
    PERFORM set_config('registry.scope', 'platform', true);
    SELECT c.revision INTO found FROM registry.changes AS c WHERE c.at >= moment ORDER BY c.at, c.revision LIMIT 1;
    PERFORM set_config('registry.scope', scope, true);
    RETURN found;
END
$$;

-- What an activation's place in the log is, only the log says, once.
CREATE FUNCTION registry.check_activation_insert() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision IS NOT NULL OR NEW.position IS NOT NULL OR NEW.cursor_hash IS NOT NULL THEN
        RAISE EXCEPTION 'an activation takes its place from the log' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER activations_unplaced BEFORE INSERT ON registry.activations
    FOR EACH ROW EXECUTE FUNCTION registry.check_activation_insert();

-- The audit is asked for by who did something, by what was done, and by when. What served at a moment is told by the last
-- billing status as well, which the second of these finds too.
CREATE INDEX changes_actor_idx ON registry.changes (customer_id, actor_id, revision, position);
CREATE INDEX changes_action_idx ON registry.changes (customer_id, action, revision, position);
CREATE INDEX changes_at_idx ON registry.changes (at, revision);
DROP INDEX registry.changes_billing_idx;
