DROP TABLE registry.service_tokens;
DROP TABLE registry.operators;
-- The policy on users reads memberships.
DROP POLICY users_read ON registry.users;
DROP TABLE registry.memberships;
DROP TABLE registry.users;
DROP TABLE registry.customers;
