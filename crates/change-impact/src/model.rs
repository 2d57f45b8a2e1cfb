//! The model's name.

use json_reader::Json;

use crate::{
    content::field,
    finding::{Finding, Findings, Impact, quote},
};

/// Compares the names of two models.
pub(crate) fn compare(old: &str, new: &str, findings: &mut Findings) {
    if old == new {
        return;
    }
    let note = if stem(old) == stem(new) { "; only the date differs" } else { "" };
    findings.push(Finding {
        impact: Impact::Model,
        path: vec![field::MODEL.to_owned()],
        tool_name: None,
        before: Some(Json::from(old)),
        after: Some(Json::from(new)),
        message: format!("the model is {} instead of {}{note}", quote(new), quote(old)),
    });
}

/// A name without its date: `-20241022`, `@20241022` or `-2024-10-22` at its end, as providers mark a model's
/// snapshots.
fn stem(name: &str) -> &str {
    let shapes = ["-dddddddd", "@dddddddd", "-dddd-dd-dd"];
    let is_like = |end: &str, shape: &str| {
        end.len() == shape.len()
            && end.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    for shape in shapes {
        let Some(at) = name.len().checked_sub(shape.len()) else { continue };
        if let Some((stem, end)) = name.split_at_checked(at)
            && !stem.is_empty()
            && is_like(end, shape)
        {
            return stem;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_at_the_end_is_no_part_of_the_stem() {
        for (name, expected) in [
            ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
            ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-4o", "gpt-4o"),
            ("o1-12345678x", "o1-12345678x"),
            ("-20241022", "-20241022"),
            ("modèle-2024-08-06", "modèle"),
            ("é20241022", "é20241022"),
        ] {
            assert_eq!(stem(name), expected);
        }
    }
}
