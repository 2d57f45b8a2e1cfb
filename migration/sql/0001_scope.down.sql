DROP FUNCTION registry.refuse_truncate();
DROP FUNCTION registry.refuse_change();
DROP FUNCTION registry.scope_customers();
DROP FUNCTION registry.scope();
