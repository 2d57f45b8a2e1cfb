//! Reads a plan: which rows and pages a statement has read.

use serde_json::Value;

/// Tables that don't grow with the registry.
const SMALL: [&str; 4] = ["log_head", "log_floor", "operators", "service_tokens"];

/// A statement that has run.
#[derive(Clone, Debug)]
pub(super) struct ExecutedStatement {
    /// Its SQL.
    pub(super) text: String,
    /// Pages of tables and indexes read.
    pub(super) blocks: u64,
    /// Rows that scans returned or discarded.
    pub(super) rows: u64,
    /// Those of them that were in tables and indexes, not in an intermediate result.
    pub(super) stored_rows: u64,
    /// Growing tables that were scanned completely.
    pub(super) whole: Vec<String>,
    /// The plan in readable form.
    pub(super) plan: String,
}

impl ExecutedStatement {
    /// Reads a plan in JSON.
    pub(super) fn of(explained: &Value) -> Self {
        let plan = &explained["Plan"];
        let mut ran = Self {
            text: explained["Query Text"].as_str().unwrap().to_owned(),
            blocks: number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks"),
            rows: 0,
            stored_rows: 0,
            whole: Vec::new(),
            plan: String::new(),
        };
        ran.visit(plan, 0);
        ran
    }

    fn visit(&mut self, node: &Value, depth: usize) {
        let table = node["Relation Name"].as_str().unwrap_or_default();
        let (kind, loops) = (node["Node Type"].as_str().unwrap(), number(node, "Actual Loops"));
        let removed: u64 =
            ["Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"]
                .iter()
                .map(|key| number(node, key))
                .sum();
        if kind.ends_with("Scan") && node.get("Plans").is_none_or(|_| kind != "Bitmap Heap Scan") {
            let rows = (number(node, "Actual Rows") + removed) * loops;
            self.rows += rows;
            self.stored_rows += if table.is_empty() { 0 } else { rows };
        }
        if kind == "Seq Scan" && loops > 0 && !SMALL.contains(&table) {
            self.whole.push(table.to_owned());
        }
        let said = ["Index Name", "Relation Name", "Index Cond", "Filter", "One-Time Filter", "Sort Key"]
            .iter()
            .filter(|key| !node[**key].is_null())
            .map(|key| format!(" {key}={}", node[*key]))
            .collect::<String>();
        let counts = format!("rows={} loops={loops} removed={removed}", number(node, "Actual Rows"));
        let indent = "  ".repeat(depth);
        self.plan += &format!("{indent}{kind} {counts}{said}\n");
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.visit(child, depth + 1);
        }
    }
}

fn number(node: &Value, key: &str) -> u64 {
    // Rows are an average over all loops, so they may have a fraction.
    node[key].as_f64().unwrap_or(0.0).ceil() as u64
}
