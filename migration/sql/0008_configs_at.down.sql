DROP INDEX registry.activations_revision_idx;
DROP INDEX registry.changes_billing_idx;
