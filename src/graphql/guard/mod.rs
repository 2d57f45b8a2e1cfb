//! What a document may cost, decided before it is parsed or run.
//!
//! [`scan`] reads the raw text once, before anything is built of it: whoever descends into brackets must know that there
//! is an end to them. [`weigh`] counts the values of the variables. [`measure`] walks the parsed document, before
//! validation: thirty fragments that spread the next one twice are under a kilobyte, and minutes of validating.
//! All are linear in what they look at, the same at every door, and know nothing of the schema but how large it is.
//! None may repeat in a refusal what the client wrote, nor panic.

mod expand;
mod scan;
mod weigh;

pub use expand::{Measured, measure};
pub use scan::scan;
pub use weigh::weigh;

/// How much a document may ask for; [`Limits::DEFAULT`] is what the service runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens of text; a string is one, however long, and so is a comment.
    pub tokens: usize,
    /// Bytes in one name.
    pub name_bytes: usize,
    /// `(`, `[` and `{` open at one place, counted together.
    pub nesting: usize,
    /// Operations in the document, run or not.
    pub operations: usize,
    /// Fragments defined in the document, used or not.
    pub fragments: usize,
    /// Directives written in the document.
    pub directives: usize,
    /// Arguments of one field.
    pub arguments: usize,
    /// Fields, and spreads and inline fragments, of all operations with every fragment expanded.
    pub fields: usize,
    /// Fields within fields, fragments not counted.
    pub depth: usize,
    /// Selection sets within selection sets, those of fragments counted.
    pub levels: usize,
    /// Aliases of all operations with every fragment expanded.
    pub aliases: usize,
    /// Fields at the root of the operation that runs.
    pub root_fields: usize,
    /// Comparisons when validation looks for fields of one name that cannot be merged.
    pub merges: usize,
    /// Values within values of the variables.
    pub values: usize,
    /// Points of cost of the operation that runs: a field is one, a page as many times what it holds as it is long.
    pub cost: usize,
    /// How long a page is when the document does not say.
    pub page: usize,
    /// Errors returned for one request; the caller cuts the rest.
    pub errors: usize,
}

impl Limits {
    /// A prompt of 512 KiB may come inline, and escaped it may take twice that.
    pub const BYTES: usize = 1024 * 1024;
    /// Forty times the introspection query (190), for a tool's schema written out as a literal. Each may become
    /// an error of validation.
    pub const TOKENS: usize = 8_000;
    /// Ample for a generated name; errors quote names, so that a long one is paid for many times.
    pub const NAME_BYTES: usize = 128;
    /// The introspection query needs 10; the rest is for literals. The deepest must fit a stack of 512 KiB in a debug
    /// build, through the parser, validation and execution.
    pub const NESTING: usize = 40;
    /// Tools send a file of operations and name one; validation goes through the fragments once for each.
    pub const OPERATIONS: usize = 10;
    /// Some for each component of a page; validation recurses through them, used or not.
    pub const FRAGMENTS: usize = 100;
    /// `@include` and `@skip` on the parts of a page; 200 KB of unknown ones once answered with 4 MB.
    pub const DIRECTIVES: usize = 50;
    /// More than any field of ours takes; they are looked up one by one.
    pub const ARGUMENTS: usize = 32;
    /// Twenty times the introspection query (240); validated and run in some 10 ms if each is cheap.
    pub const FIELDS: usize = 5_000;
    /// The introspection query of graphql-js 16 is 15 deep; agents, their versions and their changes are 11.
    pub const DEPTH: usize = 16;
    /// Twice the depth: each selection may be a component's fragment. async-graphql's own default is 32 as well.
    pub const LEVELS: usize = 32;
    /// Aliases are how one request makes many guesses.
    pub const ALIASES: usize = 100;
    /// A page shows a handful of things; each field of a mutation is a transaction of its own.
    pub const ROOT_FIELDS: usize = 20;
    /// Validation may report an error for each: 20,000 are 9 MB and 7 ms, where 17 KB of text once made 5 million of
    /// 2.5 GB in 4 s. The introspection query makes 153.
    pub const MERGES: usize = 20_000;
    /// A hundred tools with large schemas; a third of a microsecond each, where a body could hold 700,000.
    pub const VALUES: usize = 50_000;
    /// A page of 100 with in each a page of 100 of nine fields.
    pub const COST: usize = 100_000;
    /// How long a page of ours is by default.
    pub const PAGE: usize = 20;
    /// Enough to mend a document by.
    pub const ERRORS: usize = 10;

    /// All of the above: what the service runs with.
    pub const DEFAULT: Self = Self {
        bytes: Self::BYTES,
        tokens: Self::TOKENS,
        name_bytes: Self::NAME_BYTES,
        nesting: Self::NESTING,
        operations: Self::OPERATIONS,
        fragments: Self::FRAGMENTS,
        directives: Self::DIRECTIVES,
        arguments: Self::ARGUMENTS,
        fields: Self::FIELDS,
        depth: Self::DEPTH,
        levels: Self::LEVELS,
        aliases: Self::ALIASES,
        root_fields: Self::ROOT_FIELDS,
        merges: Self::MERGES,
        values: Self::VALUES,
        cost: Self::COST,
        page: Self::PAGE,
        errors: Self::ERRORS,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What there was too much of: each is one of [`Limits`], in the words of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Figure {
    /// [`Limits::bytes`].
    #[error("bytes")]
    Bytes,
    /// [`Limits::tokens`].
    #[error("tokens")]
    Tokens,
    /// [`Limits::name_bytes`].
    #[error("bytes in a name")]
    NameBytes,
    /// [`Limits::nesting`].
    #[error("brackets within brackets")]
    Nesting,
    /// [`Limits::operations`].
    #[error("operations")]
    Operations,
    /// [`Limits::fragments`].
    #[error("fragments")]
    Fragments,
    /// [`Limits::directives`].
    #[error("directives")]
    Directives,
    /// [`Limits::arguments`].
    #[error("arguments of a field")]
    Arguments,
    /// [`Limits::fields`].
    #[error("fields with fragments expanded")]
    Fields,
    /// [`Limits::depth`].
    #[error("fields within fields")]
    Depth,
    /// [`Limits::levels`].
    #[error("selections within selections")]
    Levels,
    /// [`Limits::aliases`].
    #[error("aliases with fragments expanded")]
    Aliases,
    /// [`Limits::root_fields`].
    #[error("root fields")]
    RootFields,
    /// [`Limits::merges`].
    #[error("comparisons of fields that share a selection")]
    Merges,
    /// [`Limits::values`].
    #[error("values in the variables")]
    Values,
    /// [`Limits::cost`].
    #[error("points of cost")]
    Cost,
}

/// Why a document is not run. Messages say what was counted and what is allowed, never what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More of something than [`Limits`] allows; `found` is where the counting stopped, so there may be more.
    #[error("The document is too complex: it has {found} {figure} or more, and {limit} are allowed.")]
    TooMuch {
        /// What was counted.
        figure: Figure,
        /// How many there are, at least.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A string, or a block string, that does not end. Refused here because of what follows nobody can say whether it is
    /// quoted.
    #[error("The string that begins at line {line}, column {column} does not end.")]
    UnendedString {
        /// Line of the opening quote, from 1.
        line: usize,
        /// Column of the opening quote in characters, from 1.
        column: usize,
    },
    /// A fragment that comes back to itself ([GraphQL 5.5.2.2](https://spec.graphql.org/September2025/#sec-Fragment-Spreads-Must-Not-Form-Cycles)).
    #[error("A fragment spreads itself, directly or through others.")]
    FragmentCycle,
    /// No operation of the name asked for, or no name where there are several.
    #[error("The document has {operations} operations, and operationName does not tell which one to run.")]
    UnknownOperation {
        /// How many operations the document has.
        operations: usize,
    },
    /// A subscription of other than one root field, or of an introspection field; fragments are looked into, and a
    /// field that is written twice counts twice
    /// ([GraphQL 5.2.4.1](https://spec.graphql.org/September2025/#sec-Single-Root-Field)).
    #[error(
        "A subscription has exactly one root field, and not an introspection field; this one has {found}."
    )]
    SubscriptionRootFields {
        /// How many root fields it has, introspection fields counted.
        found: usize,
    },
}

impl Refusal {
    /// The `extensions.code` of the GraphQL error: what is too much is `QUERY_TOO_COMPLEX`, what is wrong whatever
    /// the limits is `BAD_USER_INPUT`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMuch { .. } => "QUERY_TOO_COMPLEX",
            Self::UnendedString { .. }
            | Self::FragmentCycle
            | Self::UnknownOperation { .. }
            | Self::SubscriptionRootFields { .. } => "BAD_USER_INPUT",
        }
    }
}

fn within(figure: Figure, found: usize, limit: usize) -> Result<(), Refusal> {
    if found > limit {
        return Err(Refusal::TooMuch { figure, found, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use async_graphql::{
        Variables,
        parser::{parse_query, types::OperationType},
    };

    use super::*;

    fn run(text: &str, name: Option<&str>) -> Result<Measured, Refusal> {
        measure(&parse_query(text).unwrap(), name, &Variables::default(), &Limits::DEFAULT)
    }

    #[test]
    fn a_page_costs_its_length_times_what_it_holds() {
        let given = serde_json::json!({ "n": 7, "huge": u64::MAX, "text": "8", "none": null });
        let given = Variables::from_json(given);
        let wide = Limits { cost: usize::MAX, ..Limits::DEFAULT };
        for (text, expected) in [
            ("query q { a { b } }", 2),
            ("query q { a { edges { b } pageInfo { c } } }", 1 + 20 * 4),
            ("query q { a { ...{ nodes { b } } } }", 1 + 20 * 2),
            ("query q { a { ...f } } fragment f on Q { nodes { b } }", 1 + 20 * 2),
            ("query q { a(first: 5) { nodes { b } } }", 1 + 5 * 2),
            ("query q { a(last: 5) { b } }", 1 + 5),
            ("query q { a(first: 2, last: 5) { b } }", 1 + 5),
            ("query q { a(first: 0) { b } }", 1 + 1),
            ("query q { a(first: -1) { b } }", 1 + 20),
            ("query q { a(first: 5) }", 1),
            ("query q($n: Int) { a(first: $n) { b } }", 1 + 7),
            ("query q($n: Int = 9) { a(first: $n) { b } }", 1 + 7),
            ("query q($m: Int = 9) { a(first: $m) { b } }", 1 + 9),
            (
                "query q($m: I = 9) { ...f } query r($m: I = 99) { ...f } fragment f on Q { a(first: $m) { b } }",
                1 + 9,
            ),
            ("query q($m: Int) { a(first: $m) { b } }", 1 + 20),
            ("query q($text: Int) { a(first: $text) { b } }", 1 + 20),
            ("query q($none: Int = 3) { a(first: $none) { b } }", 1 + 20),
            ("query q($huge: Int) { a(first: $huge) { b c } }", usize::MAX),
        ] {
            assert_eq!(
                measure(&parse_query(text).unwrap(), Some("q"), &given, &wide).unwrap().cost,
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn an_operation_is_chosen_as_async_graphql_does() {
        let two = "query secret { a } mutation secreter { a b }";
        assert_eq!(run(two, Some("secreter")).unwrap().root_fields, 2);
        assert_eq!(run("query secret { a }", None).unwrap().root_fields, 1);
        for (text, name, operations) in [(two, None, 2), (two, Some("b"), 2), ("{a}", Some("secret"), 1)] {
            let refusal = run(text, name).unwrap_err();
            assert_eq!(
                (refusal, refusal.code()),
                (Refusal::UnknownOperation { operations }, "BAD_USER_INPUT")
            );
            assert!(!refusal.to_string().contains("secret"));
        }
    }

    #[test]
    fn fragments_do_not_come_back_to_themselves_and_subscriptions_have_one_root() {
        for text in [
            "{a} fragment f on Q { ...f }",
            "{...f} fragment f on Q { a { ...g } } fragment g on Q { ...h } fragment h on Q { b ...{ ...f } }",
            "{...f} fragment f on Q { ...g ...g } fragment g on Q { ...f ...f }",
        ] {
            assert_eq!(run(text, None), Err(Refusal::FragmentCycle), "{text}");
        }
        for (text, found) in [
            ("subscription { a b }", 2),
            ("subscription { ...f ...f } fragment f on S { a }", 2),
            ("subscription { ...{ ...f } ...on S { b } } fragment f on S { a }", 2),
            ("subscription { __typename }", 1),
            ("subscription { ...f } fragment f on S { x: __typename }", 1),
            ("subscription { ...nowhere }", 0),
        ] {
            assert_eq!(run(text, None), Err(Refusal::SubscriptionRootFields { found }), "{text}");
        }
        for text in
            ["subscription { a { b c __typename } }", "subscription { ...f } fragment f on S { ...{ a } }"]
        {
            assert_eq!(run(text, None).unwrap().operation, OperationType::Subscription);
        }
    }

    #[test]
    fn what_clients_send_is_accepted() {
        // The introspection query of graphql-js 16 with all its options.
        let type_ref =
            (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
        let introspection = format!(
            "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
             subscriptionType {{ name kind }} types {{ ...FullType }} directives {{ name description isRepeatable
             locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
             fragment FullType on __Type {{ kind name description specifiedByURL isOneOf
             fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }}
             type {{ ...TypeRef }} isDeprecated deprecationReason }}
             inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
             enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
             possibleTypes {{ ...TypeRef }} }}
             fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated
             deprecationReason }} fragment TypeRef on __Type {{ {type_ref} }}"
        );
        assert_eq!(scan(&introspection, &Limits::DEFAULT), Ok(()));
        let found = run(&introspection, None).unwrap();
        assert_eq!((found.depth, found.root_fields, found.operation), (15, 1, OperationType::Query));
        let prompt =
            format!(r#"mutation {{ publish(p: """{}""") {{ id }} }}"#, "a [{( ".repeat(512 * 1024 / 6));
        assert_eq!(scan(&prompt, &Limits::DEFAULT), Ok(()));
        assert_eq!(run(&prompt, None).unwrap().operation, OperationType::Mutation);
    }
}
