DROP INDEX registry.agents_customer_source_key;
ALTER TABLE registry.agents DROP COLUMN source_id;
