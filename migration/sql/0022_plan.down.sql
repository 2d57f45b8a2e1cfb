DROP FUNCTION registry.time_in_environment(uuid, uuid, uuid);
