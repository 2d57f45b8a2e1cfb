-- How long a version has been active in an environment: the number of periods there, the seconds of those that have ended, and the
-- beginning of the one that hasn't. A plan needs it of the environment from which versions are promoted, which its caller may not
-- reach: the function sees all environments of the customers in the caller's scope, and returns nothing else of them.
CREATE FUNCTION registry.time_in_environment(agent uuid, environment uuid, version uuid)
RETURNS TABLE (environment_key text, periods bigint, ended_seconds bigint, active_since timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    RETURN QUERY SELECT e.key, count(t.id),
        -- Periods begin and end by the clocks of different instances.
        coalesce(floor(sum(extract(epoch FROM greatest(ending.at - t.activated_at, interval '0')))), 0)::bigint,
        max(t.activated_at) FILTER (WHERE ending.at IS NULL)
    FROM registry.environments AS e
    LEFT JOIN registry.activations AS t
        ON t.agent_id = agent AND t.environment_key = e.key AND t.version_id = version AND t.revision IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT x.activated_at AS at FROM registry.activations AS x
        WHERE x.agent_id = t.agent_id AND x.environment_key = t.environment_key
          AND (x.revision, x.position) > (t.revision, t.position)
        ORDER BY x.revision, x.position LIMIT 1) AS ending ON true
    WHERE e.id = environment
    GROUP BY e.key;
    PERFORM set_config('registry.environments', reach, true);
END
$$;
