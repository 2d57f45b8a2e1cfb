//! Parses and validates a document, independently of its variables.

use std::sync::Arc;

use apollo_compiler::parser::Parser;

use crate::{
    document::{Document, Source},
    error::{Error, ErrorKind, Errors, from_library},
    limits::{Figure, within},
    measure,
    schema::Inner,
    text, usage,
};

/// Diagnostics of the library that are ignored, because `usage` checks these rules instead. The library rejects
/// some valid documents (a subscription that selects its root field twice, variables in lists within custom
/// scalars), and misses errors within lists and input objects.
const CHECKED_HERE: &[&str] = &[
    "SubscriptionUsesMultipleFields",
    "UnsupportedValueType",
    "IntCoercionError",
    "FloatCoercionError",
    "UndefinedEnumValue",
    "UndefinedInputValue",
    "RequiredField",
    "DisallowedVariableUsage",
    "UndefinedVariable",
];

pub(crate) fn check(front: &Inner, text: Arc<str>) -> Result<Document, Errors> {
    let limits = &front.limits;
    within(Figure::Bytes, text.len(), limits.bytes)?;
    let source = Source::new(text);
    let tokens = text::scan(&source, limits)?;
    let mut parser = Parser::new().recursion_limit(2 * limits.nesting);
    let parsed = parser.parse_ast(tokens, "");
    // Only the first syntax error is reported, since the others are mostly its consequence.
    let parsed = parsed.map_err(|failed| {
        let first = from_library(&failed.errors, &source, &[], 1);
        let unsaid = || Error::new(ErrorKind::Syntax, "the document does not parse");
        Errors::from(first.into_iter().next().unwrap_or_else(unsaid))
    })?;

    // Building the tree finds errors such as undefined fields. A partial tree is measured too, before anything
    // walks it.
    let (tree, build_errors) = match parsed.to_executable(&front.schema) {
        Ok(tree) => (tree, Vec::new()),
        Err(failed) => (failed.partial, from_library(&failed.errors, &source, CHECKED_HERE, limits.errors)),
    };
    let selections = measure::shape(&tree, limits)?;
    let refused = |errors| Errors::of(errors, limits.errors).map_or(Ok(()), Err);
    refused(build_errors)?;

    let (tree, mut errors) = match tree.validate(&front.schema) {
        Ok(valid) => (valid.into_inner(), Vec::new()),
        Err(failed) => (failed.partial, from_library(&failed.errors, &source, CHECKED_HERE, limits.errors)),
    };
    let found = usage::check(front, &source, &tree, errors.is_empty());
    errors.extend(found.errors);
    errors.sort_by(|one, other| one.locations.cmp(&other.locations));
    refused(errors)?;
    Ok(Document::new(source, tree, found.steering, selections, found.plan))
}
