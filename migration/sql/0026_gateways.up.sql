-- What gateways say that they serve, and which subscriptions of gateways each instance holds. Nothing here is in the log: it is what
-- other processes claim about themselves, it changes all the time, and it decides nothing about rights. The tables are UNLOGGED:
-- a crash of the server and a failover empty them, and the gateways' next reports fill them again. No foreign key leads to a table
-- outside of these, so that a report locks no agent, no serving and not the head of the log.

-- The instances that hold subscriptions of gateways. One that hasn't been seen for 15 seconds has died.
CREATE UNLOGGED TABLE registry.gateway_instances (
    id      uuid        CONSTRAINT gateway_instances_pkey PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

-- Since when reports are kept without a loss: one row, written when there is none. So a row that is younger than an activation says
-- that reports about it may have been lost.
CREATE UNLOGGED TABLE registry.gateway_epochs (
    id       smallint    CONSTRAINT gateway_epochs_pkey PRIMARY KEY CONSTRAINT gateway_epochs_one CHECK (id = 1),
    begun_at timestamptz NOT NULL
);

-- The subscriptions to `configs` of service tokens and API keys.
CREATE UNLOGGED TABLE registry.gateway_watches (
    id                 uuid        CONSTRAINT gateway_watches_pkey PRIMARY KEY,
    instance_id        uuid        NOT NULL CONSTRAINT gateway_watches_instance_fkey
                                   REFERENCES registry.gateway_instances (id) ON DELETE CASCADE,
    principal_kind     text        NOT NULL CONSTRAINT gateway_watches_principal_kind CHECK (principal_kind IN ('API_KEY', 'SERVICE')),
    principal_id       uuid        NOT NULL,
    -- The name of the credential.
    name               text        NOT NULL,
    -- The customer of an API key; NULL for a service token.
    customer_id        uuid,
    -- The customers whose configurations it receives; NULL: all.
    customer_ids       uuid[],
    -- The agents whose configurations it receives, if it names at most 100; else NULL.
    agent_ids          uuid[],
    environment_key    text        COLLATE "C" NOT NULL,
    client_name        text        CONSTRAINT gateway_watches_client_name CHECK (char_length(client_name) BETWEEN 1 AND 100),
    client_version     text        CONSTRAINT gateway_watches_client_version CHECK (char_length(client_version) BETWEEN 1 AND 100),
    since              timestamptz NOT NULL,
    delivered_revision bigint      NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX gateway_watches_environment_idx ON registry.gateway_watches (environment_key);
CREATE INDEX gateway_watches_instance_idx ON registry.gateway_watches (instance_id);
CREATE INDEX gateway_watches_customer_idx ON registry.gateway_watches (customer_id) WHERE customer_id IS NOT NULL;

-- Gateways by their own names. A name belongs to its token: another token's gateway of the same name is another row.
CREATE UNLOGGED TABLE registry.gateways (
    id               uuid        CONSTRAINT gateways_pkey PRIMARY KEY,
    principal_kind   text        NOT NULL CONSTRAINT gateways_principal_kind CHECK (principal_kind IN ('API_KEY', 'SERVICE')),
    principal_id     uuid        NOT NULL,
    name             text        COLLATE "C" NOT NULL CONSTRAINT gateways_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    customer_id      uuid,
    customer_ids     uuid[],
    agent_ids        uuid[],
    environment_key  text        COLLATE "C" NOT NULL,
    region           text        CONSTRAINT gateways_region_length CHECK (char_length(region) BETWEEN 1 AND 100),
    build            text        CONSTRAINT gateways_build_length CHECK (char_length(build) BETWEEN 1 AND 100),
    client_name      text        CONSTRAINT gateways_client_name CHECK (char_length(client_name) BETWEEN 1 AND 100),
    client_version   text        CONSTRAINT gateways_client_version CHECK (char_length(client_version) BETWEEN 1 AND 100),
    -- The first report, and the latest one.
    since            timestamptz NOT NULL,
    last_report_at   timestamptz NOT NULL,
    applied_revision bigint      NOT NULL,
    -- The last 64 revisions that it reported, ascending, each with the time of its first report.
    step_revisions   bigint[]    NOT NULL,
    step_times       timestamptz[] NOT NULL,
    -- The subscription on whose socket it reports; NULL when it reports by HTTP, or has several there.
    watch_id         uuid,
    CONSTRAINT gateways_name_key UNIQUE (principal_id, environment_key, name),
    CONSTRAINT gateways_steps CHECK (cardinality(step_revisions) BETWEEN 1 AND 64 AND cardinality(step_revisions) = cardinality(step_times))
);
CREATE INDEX gateways_environment_idx ON registry.gateways (environment_key, name);
CREATE INDEX gateways_last_report_idx ON registry.gateways (last_report_at);
CREATE INDEX gateways_customer_idx ON registry.gateways (customer_id) WHERE customer_id IS NOT NULL;

-- The versions that a gateway refuses, one for each agent. The message is that customer's data.
CREATE UNLOGGED TABLE registry.gateway_rejections (
    gateway_id      uuid        NOT NULL CONSTRAINT gateway_rejections_gateway_fkey REFERENCES registry.gateways (id) ON DELETE CASCADE,
    agent_id        uuid        NOT NULL,
    customer_id     uuid        NOT NULL,
    environment_key text        COLLATE "C" NOT NULL,
    version_id      uuid        NOT NULL,
    -- The commit of the event that it refused.
    revision        bigint      NOT NULL,
    code            text        NOT NULL CONSTRAINT gateway_rejections_code
                                CHECK (code IN ('UNKNOWN_MODEL', 'UNKNOWN_TOOL', 'INVALID_SCHEMA', 'TOO_LARGE', 'INTERNAL')),
    message         text        CONSTRAINT gateway_rejections_message CHECK (char_length(message) <= 500),
    reported_at     timestamptz NOT NULL,
    CONSTRAINT gateway_rejections_pkey PRIMARY KEY (gateway_id, agent_id)
);
CREATE INDEX gateway_rejections_customer_idx ON registry.gateway_rejections (customer_id, environment_key, reported_at);

CREATE TRIGGER gateway_instances_keep BEFORE TRUNCATE ON registry.gateway_instances EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER gateway_epochs_keep BEFORE TRUNCATE ON registry.gateway_epochs EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER gateway_watches_keep BEFORE TRUNCATE ON registry.gateway_watches EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER gateways_keep BEFORE TRUNCATE ON registry.gateways EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER gateway_rejections_keep BEFORE TRUNCATE ON registry.gateway_rejections EXECUTE FUNCTION registry.refuse_truncate();

-- The instances write all of it, in the scope of the platform. A customer's readers see the gateways that may serve its agents, and
-- what these refuse of its own.
ALTER TABLE registry.gateway_instances ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY gateway_instances_read ON registry.gateway_instances FOR SELECT USING ((SELECT registry.scope()) IS NOT NULL);
CREATE POLICY gateway_instances_write ON registry.gateway_instances USING ((SELECT registry.scope()) = 'platform');
ALTER TABLE registry.gateway_epochs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY gateway_epochs_read ON registry.gateway_epochs FOR SELECT USING ((SELECT registry.scope()) IS NOT NULL);
CREATE POLICY gateway_epochs_write ON registry.gateway_epochs USING ((SELECT registry.scope()) = 'platform');

ALTER TABLE registry.gateway_watches ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY gateway_watches_reached ON registry.gateway_watches AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[]) OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));
CREATE POLICY gateway_watches_read ON registry.gateway_watches FOR SELECT USING (
    (SELECT registry.scope()) = 'platform'
    OR (cardinality((SELECT registry.scope_customers())::uuid[]) > 0
        AND (customer_ids IS NULL OR customer_ids && (SELECT registry.scope_customers())::uuid[])));
CREATE POLICY gateway_watches_write ON registry.gateway_watches USING ((SELECT registry.scope()) = 'platform');

ALTER TABLE registry.gateways ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY gateways_reached ON registry.gateways AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[]) OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));
CREATE POLICY gateways_read ON registry.gateways FOR SELECT USING (
    (SELECT registry.scope()) = 'platform'
    OR (cardinality((SELECT registry.scope_customers())::uuid[]) > 0
        AND (customer_ids IS NULL OR customer_ids && (SELECT registry.scope_customers())::uuid[])));
CREATE POLICY gateways_write ON registry.gateways USING ((SELECT registry.scope()) = 'platform');

ALTER TABLE registry.gateway_rejections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY gateway_rejections_reached ON registry.gateway_rejections AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[]) OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));
CREATE POLICY gateway_rejections_read ON registry.gateway_rejections FOR SELECT USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY gateway_rejections_write ON registry.gateway_rejections USING ((SELECT registry.scope()) = 'platform');
