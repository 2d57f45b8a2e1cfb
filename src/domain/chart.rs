//! Counts for charts: activations a day, and entries of the audit log by group.

use super::{
    EnvironmentFilter, Error, Reading, Registry, Result, TenantFilter, audit::ChangeFilter,
    environment::EnvironmentKey, policy::Action,
};
use crate::{
    clock::Instant,
    db::DbError,
    entity::chart::{self, CHART_GROUPS_MAX, CHART_ROWS_MAX, ChartWindow},
    id::CustomerId,
};

pub use chart::{ActivationCount, ChangeCount, ChangeGroup};

/// The most days that a chart spans.
const DAYS_MAX: i64 = 366;

/// What a chart of activations counts.
#[derive(Clone, Debug)]
pub struct ActivationChart {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those in these environments; `None` for all that the reader reaches.
    pub environments: Option<Vec<EnvironmentKey>>,
    /// Only those at this time or later.
    pub since: Instant,
    /// Only those before this time; until now if left out.
    pub until: Option<Instant>,
    /// The time zone of the days.
    pub time_zone: String,
}

impl Registry {
    /// Counts the activations that the reader may see, by day, environment and reason. Days without one are left out.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer; [`Error::Forbidden`]; [`Error::Invalid`] for a window of more than 366 days or
    /// 100,000 activations, and for an unknown time zone.
    pub async fn activation_counts(
        &self,
        reading: &Reading,
        chart: ActivationChart,
    ) -> Result<Vec<ActivationCount>> {
        let ActivationChart { customer, environments, since, until, time_zone } = chart;
        let tenants = tenants_of(reading, customer)?;
        let until = until.unwrap_or_else(|| self.clock().now());
        check_window(since, until)?;
        let window = ChartWindow { since, until, time_zone: checked_time_zone(&time_zone)? };
        let reach = within_reach(reading, environments.as_deref());
        let rows = reading.view.all(chart::activations(&tenants, &reach, &window)).await;
        let counts = rows.map_err(of_time_zone)?;
        let total: u64 = counts.iter().map(|row| u64::try_from(row.count).unwrap_or(0)).sum();
        if total > CHART_ROWS_MAX {
            return Err(too_many("since", "activations"));
        }
        Ok(counts)
    }

    /// Counts the entries of the audit log that the reader may read and the filter passes, by group.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer; [`Error::Forbidden`]; [`Error::Invalid`] for a filter without `since`, a window
    /// of more than 366 days, 1,000 groups or 100,000 entries, and for an unknown time zone.
    pub async fn grouped_change_counts(
        &self,
        reading: &Reading,
        customer: Option<CustomerId>,
        filter: &ChangeFilter,
        groups: &[ChangeGroup],
        time_zone: &str,
    ) -> Result<Vec<ChangeCount>> {
        let of = super::audit::readable_customers(reading, customer)?;
        let Some(since) = filter.since else {
            let message = format!("filter.since must be given: a chart spans at most {DAYS_MAX} days");
            return Err(Error::invalid("filter.since", message));
        };
        check_window(since, filter.until.unwrap_or_else(|| self.clock().now()))
            .map_err(|_| window_refused("filter.since"))?;
        if groups.is_empty() {
            return Err(Error::invalid("groupBy", "groupBy must name what to group by"));
        }
        let time_zone = checked_time_zone(time_zone)?;
        let filter = super::audit::resolve_filter(&reading.view, filter).await?;
        let rows = reading.view.all(chart::changes(&of, &filter, groups, &time_zone)).await;
        let counts = rows.map_err(of_time_zone)?;
        let read = counts.first().map_or(0, |row| u64::try_from(row.rows_read).unwrap_or(0));
        if read > CHART_ROWS_MAX {
            return Err(too_many("filter.since", "entries"));
        }
        if counts.len() > CHART_GROUPS_MAX {
            let message = format!("these are more than {CHART_GROUPS_MAX} groups; narrow the filter");
            return Err(Error::invalid("groupBy", message));
        }
        Ok(counts)
    }
}

/// The customers whose agents the reader may read: this one, or all.
pub(super) fn tenants_of(reading: &Reading, customer: Option<CustomerId>) -> Result<TenantFilter> {
    match customer {
        Some(customer) => {
            reading.allow_on(Action::ReadAgents, customer, "customer")?;
            Ok(TenantFilter::Only(vec![customer]))
        }
        None => reading.tenant_filter(Action::ReadAgents),
    }
}

/// Those of these environments that the reader reaches.
pub(super) fn within_reach(reading: &Reading, environments: Option<&[EnvironmentKey]>) -> EnvironmentFilter {
    let reach = reading.caller.principal.environments();
    match environments {
        None => reach.clone(),
        Some(keys) => EnvironmentFilter::Only(keys.iter().filter(|key| reach.admits(key)).cloned().collect()),
    }
}

fn check_window(since: Instant, until: Instant) -> Result<()> {
    let is_short = until - since <= chrono::Duration::days(DAYS_MAX);
    if since <= until && is_short { Ok(()) } else { Err(window_refused("since")) }
}

fn window_refused(field: &str) -> Error {
    Error::invalid(field, format!("{field} must be before the end, and at most {DAYS_MAX} days before it"))
}

fn too_many(field: &str, what: &str) -> Error {
    Error::invalid(field, format!("these are more than {CHART_ROWS_MAX} {what}; choose a later {field}"))
}

/// Checks that a text can be the name of a time zone of the IANA database. Postgres also takes descriptions of time zones,
/// such as `X+3`, which have the opposite sign, and abbreviations; only names are accepted here.
fn checked_time_zone(name: &str) -> Result<String> {
    let is_offset = |zone: &str| {
        let digits = zone.strip_prefix(['+', '-']);
        digits.is_some_and(|digits| digits.parse::<u8>().is_ok_and(|hours| hours <= 14 && digits.len() <= 2))
    };
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphabetic() || c == '_' || c == '-')
    };
    let is_name = match name.split_once('/') {
        _ if name == "UTC" => true,
        Some(("Etc", zone)) if zone.strip_prefix("GMT").is_some_and(is_offset) => true,
        Some((area, place)) => is_part(area) && place.split('/').all(is_part),
        None => false,
    };
    if is_name && name.len() <= 64 { Ok(name.to_owned()) } else { Err(no_time_zone()) }
}

fn no_time_zone() -> Error {
    Error::invalid("timeZone", "timeZone must be UTC or a name of the IANA database, such as Europe/Berlin")
}

/// Postgres knows the names of time zones; nothing else in these statements is a value that it may not know.
fn of_time_zone(err: DbError) -> Error {
    if matches!(err, DbError::UnknownValue(_)) { no_time_zone() } else { err.into() }
}

#[cfg(test)]
mod tests {
    use super::checked_time_zone;

    #[test]
    fn a_time_zone_is_a_name_of_the_iana_database() {
        for name in
            ["UTC", "Europe/Berlin", "America/Port-au-Prince", "America/Argentina/Ushuaia", "Etc/GMT+3"]
        {
            assert_eq!(checked_time_zone(name).unwrap(), name);
        }
        for wrong in
            ["", "utc", "CET", "PDT", "X+3", "UTC+3", "Europe/Berlin+3", "Etc/GMT+15", "a/\0", "/", "a//b"]
        {
            assert!(checked_time_zone(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_window_ends_after_it_begins_and_spans_a_year_at_most() {
        let at = |days| chrono::DateTime::UNIX_EPOCH + chrono::Duration::days(days);
        assert!(super::check_window(at(0), at(366)).is_ok());
        assert!(super::check_window(at(5), at(5)).is_ok());
        assert!(super::check_window(at(0), at(367)).is_err());
        assert!(super::check_window(at(1), at(0)).is_err());
    }
}
