-- Creates the two roles and the database, as docs/operations.md says. PostgreSQL's image runs this file once, when its volume
-- is empty, as the superuser. The passwords are read from the secrets of compose.yaml.
\set owner_password `cat /run/secrets/owner-password`
\set serving_password `cat /run/secrets/serving-password`
CREATE ROLE registry_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE registry LOGIN PASSWORD :'serving_password';
CREATE DATABASE registry OWNER registry_owner ENCODING 'UTF8' TEMPLATE template0;
