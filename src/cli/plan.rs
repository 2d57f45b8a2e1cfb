//! `plan`: prints what an activation would change. Its exit code tells a script what to do.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Failure, print_line, with_context};
use crate::{
    app::CliContext,
    config::Common,
    domain::{
        Caller, Error, Reading,
        activation_plan::{ActivationPlan, PlanRequest, PlanTarget},
        diff::{Finding, Impact},
        environment::EnvironmentKey,
        plan::{PlanDecision, PolicyFinding},
    },
    id::{AgentId, VersionId},
};

/// The exit code when the activation would change something.
const CHANGES: u8 = 2;
/// The exit code when the rules of the environment refuse the activation.
const REFUSED: u8 = 3;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The id of the agent
    #[arg(long, value_name = "ID")]
    agent: AgentId,
    /// The version that would be activated, by its number or id
    #[arg(long, value_name = "NUMBER|ID", required_unless_present = "deactivate")]
    version: Option<VersionArg>,
    /// Plan a deactivation instead
    #[arg(long, conflicts_with = "version")]
    deactivate: bool,
    /// The key of the environment
    #[arg(long, value_name = "KEY", default_value = "production")]
    environment: EnvironmentKey,
    /// The form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A version of the agent.
#[derive(Clone, Copy, Debug)]
enum VersionArg {
    Number(i32),
    Id(VersionId),
}

impl std::str::FromStr for VersionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse(), text.parse()) {
            (Ok(number), _) => Ok(Self::Number(number)),
            (Err(_), Ok(id)) => Ok(Self::Id(id)),
            (Err(_), Err(_)) => Err("a version is its number, such as 3, or its id".to_owned()),
        }
    }
}

/// The forms of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on a terminal
    Text,
    /// One JSON object, with the fields of the REST API
    Json,
    /// For the comment of a pull request
    Markdown,
}

/// A plan with the names and numbers that people read.
struct Report {
    agent: String,
    previous: Option<i32>,
    next: Option<i32>,
    plan: ActivationPlan,
}

impl Plan {
    /// Prints the plan. A failure exits with 1, also for wrong arguments: 2 says that there are changes.
    pub(super) async fn run(self, common: &Common) -> Result<ExitCode, Failure> {
        let format = self.format;
        let report = with_context(common, async |context| self.read(context).await);
        let report = report.await.map_err(|failure| Failure::Plan(Box::new(failure)))?;
        print_line(format_args!("{}", report.show(format).trim_end()))?;
        let plan = &report.plan.plan;
        Ok(match (plan.decision, plan.impact) {
            (PlanDecision::Refuse, _) => ExitCode::from(REFUSED),
            (_, Impact::Same) => ExitCode::SUCCESS,
            (PlanDecision::Allow | PlanDecision::Confirm, _) => ExitCode::from(CHANGES),
        })
    }

    async fn read(self, context: &CliContext) -> Result<Report, Failure> {
        let Self { agent: agent_id, version, deactivate: _, environment, format: _ } = self;
        let (registry, caller) = (&context.registry, Caller::system("plan"));
        let reading: Reading = registry.reading(&caller);
        let agent = registry.agents_by_ids(&reading, &[agent_id]).await?.pop();
        let agent = agent.ok_or(Error::NotFound("agent"))?;
        let target = match version {
            None => PlanTarget::Nothing,
            Some(VersionArg::Id(id)) => PlanTarget::Version(id),
            Some(VersionArg::Number(number)) => {
                let found = registry.versions_by_numbers(&reading, &[(agent_id, number)]).await?.pop();
                PlanTarget::Version(found.ok_or(Error::NotFound("version of this agent"))?.id)
            }
        };
        let request = PlanRequest { agent_id, environment, target };
        let plan = registry.activation_plan(&reading, request).await?;
        let plan = plan.ok_or(Error::NotFound("environment or version of this agent"))?;
        let ids: Vec<VersionId> = plan.previous_version_id.into_iter().chain(plan.version_id).collect();
        let versions = registry.versions_by_ids(&reading, &ids).await?;
        let number = |id: Option<VersionId>| {
            versions.iter().find(|version| Some(version.id) == id).map(|version| version.number)
        };
        let (previous, next) = (number(plan.previous_version_id), number(plan.version_id));
        Ok(Report { agent: agent.name, previous, next, plan })
    }
}

impl Report {
    fn show(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Json => format!("{:#}", self.json()),
            Format::Markdown => self.markdown(),
        }
    }

    /// What would change, in one line.
    fn title(&self) -> String {
        let Self { agent, previous, next, plan } = self;
        let version = |number: &Option<i32>| {
            number.map_or_else(|| "nothing".to_owned(), |number| format!("version {number}"))
        };
        format!("{agent:?} in {}: {} → {}", plan.environment.key, version(previous), version(next))
    }

    /// What the caller of the activation must do.
    fn verdict(&self) -> String {
        let plan = &self.plan.plan;
        let impact = plan.impact.as_str();
        match plan.decision {
            PlanDecision::Allow => format!("{impact}; it would go through"),
            PlanDecision::Confirm => {
                let impacts: Vec<_> = plan.must_confirm.iter().map(|impact| impact.as_str()).collect();
                format!("{impact}; it needs a confirmation of {}", impacts.join(", "))
            }
            PlanDecision::Refuse => format!("{impact}; it would be refused"),
        }
    }

    fn text(&self) -> String {
        let plan = &self.plan.plan;
        let mut text = format!("{}\n{}\n", self.title(), self.verdict());
        // Writing to a `String` can't fail.
        for Finding { impact, message, .. } in &plan.findings {
            let _ = writeln!(text, "  {:<10} {}", impact.as_str(), visible(message));
        }
        for PolicyFinding { rule, effect, message } in &plan.policy {
            let _ = writeln!(text, "{} by {}: {}", effect.as_str(), rule.as_str(), visible(message));
        }
        let _ = writeln!(text, "plan hash {}", plan.hash);
        text
    }

    fn markdown(&self) -> String {
        let plan = &self.plan.plan;
        let mut text = format!("### {}\n\n**{}**\n", escape(&self.title().replace('`', "'")), self.verdict());
        if !plan.findings.is_empty() {
            text.push_str("\n| impact | finding |\n| --- | --- |\n");
            for Finding { impact, message, .. } in &plan.findings {
                let _ = writeln!(text, "| {} | {} |", impact.as_str(), escape(message));
            }
        }
        if !plan.policy.is_empty() {
            text.push_str("\n| rule | effect | |\n| --- | --- | --- |\n");
            for PolicyFinding { rule, effect, message } in &plan.policy {
                let _ = writeln!(text, "| {} | {} | {} |", rule.as_str(), effect.as_str(), escape(message));
            }
        }
        let _ = writeln!(text, "\nPlan hash `{}`", plan.hash);
        text
    }

    fn json(&self) -> Value {
        let Self { agent, previous, next, plan: of } = self;
        let plan = &of.plan;
        let finding = |finding: &Finding| {
            let Finding { impact, path, tool_name, before, after, message } = finding;
            let value = |json: &Option<json_reader::Json>| json.as_ref().map(json_reader::Json::to_serde);
            json!({ "impact": impact.as_str(), "path": path, "tool_name": tool_name, "before": value(before),
                "after": value(after), "message": message })
        };
        let policy = |finding: &PolicyFinding| {
            let PolicyFinding { rule, effect, message } = finding;
            json!({ "rule": rule.as_str(), "effect": effect.as_str(), "message": message })
        };
        let impact = |impact: &Impact| impact.as_str();
        json!({
            "agent_id": of.agent_id, "agent_name": agent, "environment": of.environment.key,
            "previous_version_id": of.previous_version_id, "previous_version_number": previous,
            "version_id": of.version_id, "version_number": next, "impact": plan.impact.as_str(),
            "findings": plan.findings.iter().map(finding).collect::<Vec<_>>(),
            "policy": plan.policy.iter().map(policy).collect::<Vec<_>>(), "decision": plan.decision.as_str(),
            "must_confirm": plan.must_confirm.iter().map(impact).collect::<Vec<_>>(),
            "plan_hash": plan.hash.to_string(), "revision": of.revision,
        })
    }
}

/// A text for a terminal: control characters, which names in a content may have, are escaped.
fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        shown
    })
}

/// A text within a table of Markdown, where names of tools can't become markup. Within backticks everything but the bar
/// that ends a cell stands for itself.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    for character in visible(text).chars() {
        match character {
            '`' => {
                is_code = !is_code;
                escaped.push(character);
            }
            '|' => escaped.push_str("\\|"),
            _ if is_code => escaped.push(character),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '[' | ']' | '*' | '_' | '\\' | '#' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
