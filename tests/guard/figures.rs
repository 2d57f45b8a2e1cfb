//! What a document is measured to be, beside the same reckoned the slow way.

use agent_registry::graphql::{
    guard::{Figure::Aliases, Limits, Refusal, measure, scan},
    parse::parse,
};
use async_graphql::{
    Variables,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use proptest::prelude::*;

use crate::{WIDE, bomb, cases, limits::both, made::documents};

/// The figures the slow way, each fragment walked again wherever it is spread: fields, depth, aliases, root fields.
fn expanded(document: &ExecutableDocument, set: &SelectionSet) -> [usize; 4] {
    set.items.iter().fold([0; 4], |sum, selection| {
        let [fields, depth, aliases, roots] = match &selection.node {
            Selection::Field(field) => {
                let [fields, depth, aliases, _] = expanded(document, &field.node.selection_set.node);
                [fields, depth + 1, aliases + usize::from(field.node.alias.is_some()), 1]
            }
            Selection::InlineFragment(inline) => expanded(document, &inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node);
                fragment.map_or([0; 4], |found| expanded(document, &found.node.selection_set.node))
            }
        };
        [sum[0] + fields + 1, sum[1].max(depth), sum[2] + aliases, sum[3] + roots]
    })
}

/// The most brackets within brackets of what was parsed, counted from the selections and their arguments.
fn brackets(set: &SelectionSet) -> usize {
    fn of_value(json: &serde_json::Value) -> usize {
        match json {
            serde_json::Value::Array(items) => 1 + items.iter().map(of_value).max().unwrap_or(0),
            serde_json::Value::Object(items) => 1 + items.values().map(of_value).max().unwrap_or(0),
            _ => 0,
        }
    }
    let of_selection = |selection: &Selection| match selection {
        Selection::Field(field) => {
            let values =
                field.node.arguments.iter().map(|(_, value)| value.node.clone().into_json().unwrap());
            values
                .map(|json| 1 + of_value(&json))
                .max()
                .unwrap_or(0)
                .max(brackets(&field.node.selection_set.node))
        }
        Selection::InlineFragment(inline) => brackets(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(|selection| 1 + of_selection(&selection.node)).max().unwrap_or(0)
}

/// How many selections there are in this one, as it is written.
fn written(set: &SelectionSet) -> usize {
    let within = set.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => written(&field.node.selection_set.node),
        Selection::InlineFragment(inline) => written(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    });
    set.items.len() + within.sum::<usize>()
}

#[test]
fn each_selection_is_visited_twice_whatever_they_multiply_to() {
    let steps = |text: &str| both(text, &WIDE).unwrap().steps;
    for (count, times) in [(30, 2), (60, 2), (300, 2), (600, 2), (30, 20), (30, 40)] {
        let written = count * times + 1;
        assert_eq!(steps(&bomb(count, times, "b")), 2 * written + 2, "{count} of {times}");
    }
    for count in [900, 1_800] {
        let long = format!("{{...f}} fragment f on Q{{{}}}", "a{b}".repeat(count));
        assert_eq!(steps(&long), 1 + 4 * count);
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn figures_are_those_of_the_expansion(text in documents(false)) {
        let document = parse(&text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let [fields, depth, aliases, root_fields] = expanded(&document, &operation.node.selection_set.node);
        let measured = |limits| measure(&document, None, &Variables::default(), &limits);
        let found = measured(Limits { aliases, ..WIDE }).unwrap();
        prop_assert_eq!([found.fields, found.depth, found.root_fields], [fields, depth, root_fields]);
        if let Some(limit) = aliases.checked_sub(1) {
            let refusal = Refusal::TooMuch { figure: Aliases, found: aliases, limit };
            prop_assert_eq!(measured(Limits { aliases: limit, ..WIDE }), Err(refusal));
        }
    }

    #[test]
    fn every_bracket_that_the_parser_takes_is_counted(text in documents(false)) {
        let document = parse(&text).unwrap();
        let operations = document.operations.iter().map(|(_, operation)| brackets(&operation.node.selection_set.node));
        let fragments = document.fragments.values().map(|fragment| brackets(&fragment.node.selection_set.node));
        let nesting = operations.chain(fragments).max().unwrap();
        prop_assert_eq!(scan(&text, &Limits { nesting, ..WIDE }), Ok(()));
        let fewer = scan(&text, &Limits { nesting: nesting - 1, ..WIDE });
        prop_assert!(fewer.is_err());
    }

    #[test]
    fn no_selection_is_visited_more_than_twice(text in documents(false), more in documents(false)) {
        // The second document's fragments under names of their own, so that each spread leads somewhere.
        let text = "query first ".to_owned() + &text + &more.replacen('{', "query more {", 1).replace("...f", "...g").replace("fragment f", "fragment g");
        let document = parse(&text).unwrap();
        let operations = document.operations.iter().map(|(_, operation)| written(&operation.node.selection_set.node));
        let fragments = document.fragments.values().map(|fragment| written(&fragment.node.selection_set.node));
        let written = operations.chain(fragments).sum::<usize>();
        let found = measure(&document, Some("more"), &Variables::default(), &WIDE).unwrap();
        prop_assert!(found.steps <= 2 * written, "{} steps for {} selections", found.steps, written);
    }
}
