-- What served at a moment is told from the log: whether a customer was served then, by its last billing status before.
-- Most customers never have one, and without an index of its own that question reads all that ever happened to them.
CREATE INDEX changes_billing_idx ON registry.changes (customer_id, revision, position)
    WHERE action = 'customer.billing_status_set';
-- The same for an agent: which version served, in the order of the log.
CREATE INDEX activations_revision_idx ON registry.activations (agent_id, revision, position);
