DROP TABLE registry.activations;
DROP FUNCTION registry.check_activation_update();
ALTER TABLE registry.agents DROP CONSTRAINT agents_active_version_fkey;
DROP TABLE registry.agent_versions;
DROP FUNCTION registry.check_version_number();
DROP TABLE registry.agents;
