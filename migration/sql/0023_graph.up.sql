-- The lists of a customer's activations and of all customers' activations, newest first: an environment and a reason is one
-- descent of an index, and a list of several reads a page of each. They are in the order of the commits, which no other index
-- has: the planner would take the primary key for a list by id, and walk it for a reason that is rare. PROMOTE isn't stored: it
-- is an ACTIVATE with `promoted_from`.
CREATE INDEX activations_customer_idx ON registry.activations
    (customer_id, environment_key, (CASE WHEN promoted_from IS NULL THEN reason ELSE 'PROMOTE' END), revision, position);
-- For the platform, which reads all customers.
CREATE INDEX activations_newest_idx ON registry.activations
    (environment_key, (CASE WHEN promoted_from IS NULL THEN reason ELSE 'PROMOTE' END), revision, position);
