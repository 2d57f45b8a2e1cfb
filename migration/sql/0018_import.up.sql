-- The id of the agent in the file from which an import created it: the id that it has where it was first exported. An export writes it
-- again, so a file that went through several registries still finds the agent after its name was changed. No foreign key, because
-- that agent may be in another registry, and no default: older agents have only their own id.
ALTER TABLE registry.agents ADD COLUMN source_id uuid;

-- Two agents of a customer never come from the same one. An import looks them up by it.
CREATE UNIQUE INDEX agents_customer_source_key ON registry.agents (customer_id, source_id) WHERE source_id IS NOT NULL;
