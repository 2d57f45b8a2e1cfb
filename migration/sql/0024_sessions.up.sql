-- The console's sessions: sign-ins of browsers. Only the hash of the cookie's secret is stored, as for API keys. A row stays for a
-- day after the session's end, so that a repeated request finds what it ended.
CREATE TABLE registry.sessions (
    id           uuid        CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id      uuid        NOT NULL CONSTRAINT sessions_user_fkey REFERENCES registry.users (id) ON DELETE CASCADE,
    secret_hash  bytea       NOT NULL CONSTRAINT sessions_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    created_at   timestamptz NOT NULL,
    -- Written at most once a minute, and not in the log: it says when, and changes nothing.
    last_seen_at timestamptz NOT NULL,
    -- A day after its beginning.
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    -- The request that ended it. One request may end several sessions.
    ended_by     uuid,
    -- A network and not an address, as in the log.
    network      text,
    client       text        CONSTRAINT sessions_client_length CHECK (char_length(client) BETWEEN 1 AND 100),
    CONSTRAINT sessions_ended CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX sessions_user_idx ON registry.sessions (user_id, expires_at);
CREATE INDEX sessions_expires_idx ON registry.sessions (expires_at);
CREATE INDEX sessions_ended_by_idx ON registry.sessions (ended_by) WHERE ended_by IS NOT NULL;

-- One-time addresses that sign a browser in, as the command line prints them.
CREATE TABLE registry.sign_in_links (
    secret_hash    bytea       CONSTRAINT sign_in_links_pkey PRIMARY KEY
                               CONSTRAINT sign_in_links_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    user_id        uuid        NOT NULL CONSTRAINT sign_in_links_user_fkey REFERENCES registry.users (id) ON DELETE CASCADE,
    -- Whether the user becomes an operator when the link is spent.
    makes_operator boolean     NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    spent_at       timestamptz
);
CREATE INDEX sign_in_links_user_idx ON registry.sign_in_links (user_id);
CREATE INDEX sign_in_links_expires_idx ON registry.sign_in_links (expires_at);

CREATE TRIGGER sessions_keep BEFORE TRUNCATE ON registry.sessions EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER sign_in_links_keep BEFORE TRUNCATE ON registry.sign_in_links EXECUTE FUNCTION registry.refuse_truncate();

-- Both belong to a person and not to a customer: they are read before the caller is known, and written by a sign-in and by a person
-- about its own sessions. No scope of customers sees them.
ALTER TABLE registry.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sessions_all ON registry.sessions USING ((SELECT registry.scope()) IN ('platform', 'auth'));
ALTER TABLE registry.sign_in_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sign_in_links_all ON registry.sign_in_links USING ((SELECT registry.scope()) = 'platform');

-- Whether a session hasn't been ended, which holds until the transaction ends: ending it waits. A write calls this, in the scope of
-- its customers, and learns nothing else of the session.
CREATE FUNCTION registry.hold_session(session uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scope text := coalesce(current_setting('registry.scope', true), '');
    held  boolean;
BEGIN
    PERFORM set_config('registry.scope', 'auth', true);
    PERFORM FROM registry.sessions AS s WHERE s.id = session AND s.ended_at IS NULL FOR KEY SHARE;
    held := FOUND;
    PERFORM set_config('registry.scope', scope, true);
    RETURN held;
END
$$;
