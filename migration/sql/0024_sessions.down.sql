DROP FUNCTION registry.hold_session(uuid);
DROP TABLE registry.sign_in_links;
DROP TABLE registry.sessions;
