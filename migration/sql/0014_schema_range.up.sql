-- The range of schemas. A binary applies its own migrations and serves the result. It also serves a database to which a newer binary
-- has applied more of them, unless one of those says otherwise here.
--
-- Migrations from this one on are recorded in this table. Those before it stay in seaql_migrations, and that table gets no more rows:
-- the releases that know it alone refuse to start on a row that they don't know. They start and serve as long as each migration here
-- only expands.
CREATE TABLE registry.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    -- The lowest schema number of a binary that can serve the database from this migration on. Null if the migration only expands: it
    -- excludes no binary.
    oldest_binary integer,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (number),
    CONSTRAINT schema_migrations_name UNIQUE (name),
    CONSTRAINT schema_migrations_oldest_binary CHECK (oldest_binary BETWEEN 1 AND number)
);
