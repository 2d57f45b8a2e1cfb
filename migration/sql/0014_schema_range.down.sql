DROP TABLE registry.schema_migrations;
