DROP TRIGGER agents_active_version_changed ON registry.agents;
DROP TRIGGER agents_name_changed ON registry.agents;
DROP TRIGGER agents_name_inserted ON registry.agents;
DROP FUNCTION registry.index_active_version;
DROP FUNCTION registry.index_agent_name;
DROP TABLE registry.agent_active_tools;
DROP TABLE registry.agent_name_ends;
ALTER TABLE registry.agents DROP COLUMN active_model_name;
ALTER TABLE registry.agents DROP COLUMN name_lower;
