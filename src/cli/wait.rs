//! `wait`: waits until gateways have applied an activation: the last step of a deployment.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use registry_client::{AgentId, Session};
use serde_json::{Value, json};

use super::{Failure, print_line};
use crate::{config::Common, domain::environment::EnvironmentKey, id::Revision};

/// How long one request waits, in seconds: shorter than the client's own time limit.
const REQUEST_SECONDS: u64 = 10;
/// The pause before a request that had nothing to wait for.
const PAUSE: Duration = Duration::from_secs(1);

const CONVERGENCE: &str = "query ($agent: ID!, $environment: String, $revision: Revision, $share: Float, $seconds: Int!) {
    convergence(agentId: $agent, environment: $environment, revision: $revision, minShare: $share, waitSeconds: $seconds) {
        revision gateways applied pending late rejected silent rejections(first: 100) { code message gatewayName } } }";

/// Arguments of `wait`.
#[derive(Debug, Args)]
pub(super) struct Wait {
    /// The URL of the registry; the token is in the variable TOKEN, and needs agents:read
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The id of the agent
    #[arg(long, value_name = "ID")]
    agent: AgentId,
    /// The key of the environment
    #[arg(long, value_name = "KEY", default_value = "production")]
    environment: EnvironmentKey,
    /// The commit to wait for, as the activation returned it [default: the agent's latest activation]
    #[arg(long)]
    revision: Option<i64>,
    /// The share of the gateways that report, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = parse_share)]
    at_least: f64,
    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.99".to_owned())
}

impl Wait {
    /// Waits, and prints the numbers. Exits with 0 when the share is reached, and with 1 when it isn't in time.
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let Self { url, agent, environment, revision, at_least, timeout } = self;
        let token = Common::token().map_err(Failure::Usage)?;
        let token = token.ok_or_else(|| Failure::Usage("no token: set TOKEN".to_owned()))?;
        let session = Session::connect(&url, &token).await?;
        let until = Instant::now() + Duration::from_secs(timeout);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let variables = json!({
                "agent": agent, "environment": environment.as_str(),
                "revision": revision.map(|revision| Revision(revision).to_string()), "share": at_least,
                "seconds": left.as_secs().min(REQUEST_SECONDS),
            });
            let answer = session.query(CONVERGENCE, variables).await?;
            let found = answer.get("convergence").filter(|found| !found.is_null());
            let counts = found.map(Counts::read);
            let is_over = until <= Instant::now() + PAUSE;
            match counts {
                Some(counts) if counts.has(at_least) => {
                    print_line(format_args!("{}", counts.sentence()))?;
                    return Ok(ExitCode::SUCCESS);
                }
                Some(counts) if is_over => {
                    print_line(format_args!("{}", counts.sentence()))?;
                    counts
                        .refusals
                        .iter()
                        .try_for_each(|why| print_line(format_args!("  refused: {why}")))?;
                    return Ok(ExitCode::FAILURE);
                }
                None if is_over => {
                    let what = format!("nothing has served in {environment}, or you can't see the agent");
                    print_line(format_args!("{what}"))?;
                    return Ok(ExitCode::FAILURE);
                }
                Some(_) | None => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// The numbers of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    revision: String,
    gateways: u32,
    applied: u32,
    pending: u32,
    late: u32,
    rejected: u32,
    silent: u32,
    refusals: Vec<String>,
}

impl Counts {
    fn read(found: &Value) -> Self {
        let number = |name: &str| {
            let number = found.get(name).and_then(Value::as_u64);
            number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
        };
        let text =
            |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let refusal = |of: &Value| {
            let (code, message, gateway) = (text(of, "code"), text(of, "message"), text(of, "gatewayName"));
            // Names and messages come from other processes.
            format!("{code} {} {}", gateway.escape_debug(), message.escape_debug()).trim_end().to_owned()
        };
        let refusals = found.get("rejections").and_then(Value::as_array);
        Self {
            revision: text(found, "revision"),
            gateways: number("gateways"),
            applied: number("applied"),
            pending: number("pending"),
            late: number("late"),
            rejected: number("rejected"),
            silent: number("silent"),
            refusals: refusals.map(|all| all.iter().map(refusal).collect()).unwrap_or_default(),
        }
    }

    /// Whether this share of the gateways that report have applied it. Without such a gateway, no share is reached.
    fn has(&self, share: f64) -> bool {
        let reporting = self.gateways.saturating_sub(self.silent);
        reporting > 0 && f64::from(self.applied) >= share * f64::from(reporting)
    }

    fn sentence(&self) -> String {
        let Self { revision, gateways, applied, pending, late, rejected, silent, refusals: _ } = self;
        format!(
            "revision {revision}: {applied} of {gateways} gateways have applied it, {pending} pending ({late} late), {rejected} rejected, \
             {silent} never report"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_gateways_that_report() {
        let counts = |gateways: u32, applied: u32, silent: u32| {
            Counts::read(
                &json!({ "gateways": gateways, "applied": applied, "silent": silent, "revision": "7" }),
            )
        };
        assert!(counts(4, 4, 0).has(1.0) && counts(9, 4, 5).has(1.0) && counts(4, 3, 0).has(0.75));
        assert!(!counts(4, 3, 0).has(0.76) && !counts(5, 0, 5).has(0.0) && !counts(0, 0, 0).has(0.0));
        let refused = json!({ "rejections": [{ "code": "UNKNOWN_TOOL", "message": "no \u{1b}[2J", "gatewayName": null }] });
        assert_eq!(Counts::read(&refused).refusals, ["UNKNOWN_TOOL  no \\u{1b}[2J"]);
    }
}
