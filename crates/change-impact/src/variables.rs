//! The variables of a prompt.

use std::collections::HashSet;

/// The names in `{{name}}` in a prompt, in the order of their first use. A name has letters, digits, `_`, `-` and `.`,
/// and begins with a letter or `_`; spaces around it don't count.
#[must_use]
pub fn variables(prompt: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for part in prompt.split("{{").skip(1) {
        let Some((name, _)) = part.trim_start_matches('{').split_once("}}") else { continue };
        let name = name.trim();
        let begins = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
        if begins && name.chars().all(is_of_variable) && seen.insert(name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn is_of_variable(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_names_in_double_braces_in_the_order_of_first_use() {
        let prompt = "Hi {{ user.name }}, {{city}} and {{user.name}}; {{ 1x }} {{}} {{a b}} {{{raw}}} {{_x-1";
        assert_eq!(variables(prompt), ["user.name", "city", "raw"]);
        assert_eq!(variables("{{a}}{{b}}{{"), ["a", "b"]);
    }
}
