//! What a migration locks: the tables that existed before and that it changes, so that writers of them wait until it has
//! ended. Read from its SQL, so that it can't be forgotten.

use std::collections::BTreeSet;

use super::Step;

impl Step {
    /// Returns the tables whose writers wait while this step is applied, without those that it creates. Building an index,
    /// adding a column, a trigger or a policy locks its table.
    #[must_use]
    pub fn locks(&self) -> Vec<String> {
        let code: Vec<&str> = self.up.lines().map(|line| line.split("--").next().unwrap_or(line)).collect();
        let code = code.join(" ");
        let (mut locked, mut created) = (BTreeSet::new(), BTreeSet::new());
        for statement in code.split(';') {
            let words: Vec<&str> = statement
                .split(|sign: char| sign.is_whitespace() || matches!(sign, '(' | ')' | ','))
                .filter(|word| !word.is_empty())
                .collect();
            match locked_table(&words) {
                Some(LockedTable::Changed(table)) => drop(locked.insert(table)),
                Some(LockedTable::Created(table)) => drop(created.insert(table)),
                None => {}
            }
        }
        locked.difference(&created).map(|table| (*table).to_owned()).collect()
    }
}

/// A table in a statement.
enum LockedTable<'s> {
    Changed(&'s str),
    Created(&'s str),
}

/// Returns the table that a statement creates or locks. In the body of a function, no statement begins so.
fn locked_table<'s>(words: &[&'s str]) -> Option<LockedTable<'s>> {
    let name = |word: &&'s str| word.strip_prefix("registry.");
    let after_on = || words.iter().skip_while(|word| !word.eq_ignore_ascii_case("on")).find_map(name);
    let begins = |with: &[&str]| {
        with.iter()
            .enumerate()
            .all(|(nth, word)| words.get(nth).is_some_and(|own| own.eq_ignore_ascii_case(word)))
    };
    let is_concurrent = words.iter().any(|word| word.eq_ignore_ascii_case("concurrently"));
    if begins(&["create", "table"]) {
        words.iter().find_map(name).map(LockedTable::Created)
    } else if begins(&["alter", "table"]) {
        words.iter().find_map(name).map(LockedTable::Changed)
    } else if is_concurrent {
        None
    } else if [
        &["create", "index"][..],
        &["create", "unique", "index"],
        &["create", "trigger"],
        &["create", "policy"],
    ]
    .iter()
    .chain(&[&["create", "or", "replace", "trigger"][..], &["drop", "trigger"], &["drop", "policy"]])
    .any(|with| begins(with))
    {
        after_on().map(LockedTable::Changed)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{FIRST_STEPS, STEPS, Step};

    fn locks(name: &str) -> Vec<String> {
        let steps: Vec<&Step> = FIRST_STEPS.iter().chain(STEPS).filter(|step| step.name == name).collect();
        assert_eq!(steps.len(), 1, "{name}");
        steps.iter().flat_map(|step| step.locks()).collect()
    }

    #[test]
    fn a_step_says_which_tables_it_locks() {
        assert_eq!(locks("0002_people"), Vec::<String>::new(), "it creates all of its tables");
        assert_eq!(locks("0014_schema_range"), Vec::<String>::new());
        assert_eq!(locks("0020_extensions"), ["agent_versions"]);
        let growth = locks("0011_growth");
        for table in ["agents", "changes", "customers", "api_keys"] {
            assert!(growth.iter().any(|locked| locked == table), "{growth:?}");
        }
        let environments = locks("0021_environments");
        assert!(environments.iter().any(|locked| locked == "activations"), "{environments:?}");
        assert!(!environments.iter().any(|locked| locked == "servings"), "{environments:?}");
    }

    #[test]
    fn an_index_that_is_built_concurrently_locks_nothing() {
        let up = "CREATE INDEX CONCURRENTLY one ON registry.changes (at); -- CREATE INDEX two ON registry.agents (id);";
        let step = Step { name: "9999_test", number: 9999, oldest_binary: None, up, down: "" };
        assert_eq!(step.locks(), Vec::<String>::new());
    }
}
