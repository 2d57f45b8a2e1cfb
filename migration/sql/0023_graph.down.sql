DROP INDEX registry.activations_newest_idx;
DROP INDEX registry.activations_customer_idx;
