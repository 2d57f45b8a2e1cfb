DROP TRIGGER activations_rollback_targets ON registry.activations;
DROP FUNCTION registry.keep_rollback_targets;
DROP TABLE registry.rollback_targets;
