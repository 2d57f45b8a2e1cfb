DROP FUNCTION registry.append_changes(jsonb);
DROP FUNCTION registry.change_row_hash(bigint, integer, timestamptz, uuid, uuid, uuid, uuid, text, text, uuid, text, text);
DROP FUNCTION registry.hash_field(text);
DROP TABLE registry.changes;
DROP TABLE registry.log_head;
