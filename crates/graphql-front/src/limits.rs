//! How much a document may ask for.

use crate::error::{Error, ErrorKind};

/// How much a document may ask for; [`Limits::DEFAULT`] suits a schema of a few hundred fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens of text; a string is one token, however long, and so is a comment.
    pub tokens: usize,
    /// Bytes in one name.
    pub name_bytes: usize,
    /// `(`, `[` and `{` open at one place, counted together.
    pub nesting: usize,
    /// Operations in the document, run or not.
    pub operations: usize,
    /// Fragments defined in the document.
    pub fragments: usize,
    /// Directives written in the document.
    pub directives: usize,
    /// Arguments of one field.
    pub arguments: usize,
    /// Fields, spreads and inline fragments of all operations, with every fragment expanded.
    pub fields: usize,
    /// Fields within fields; fragments don't count.
    pub depth: usize,
    /// Selection sets within selection sets; those of fragments count.
    pub levels: usize,
    /// Aliases of all operations, with every fragment expanded.
    pub aliases: usize,
    /// Fields at the root of any operation, with every fragment expanded.
    pub root_fields: usize,
    /// Values within the variables' values.
    pub values: usize,
    /// Bytes of all values in the operation that runs: a value counts wherever it stands, so a variable or a fragment's literal
    /// may count many times.
    pub value_bytes: usize,
    /// Bytes of the longest string in the document, times the arguments of its fields: each conflict that validation reports
    /// holds a copy of an argument.
    pub copies: usize,
    /// Points of cost of the operation that runs: a field costs one, a page costs its length times what it holds.
    pub cost: usize,
    /// The length of a page when the document names none.
    pub page: usize,
    /// Errors reported for one request.
    pub errors: usize,
}

impl Limits {
    /// A prompt of 512 KiB may come inline, and escapes can double it.
    pub const BYTES: usize = 1024 * 1024;
    /// Forty times the introspection query (190), for a tool's schema written out as a literal.
    pub const TOKENS: usize = 8_000;
    /// Ample for a generated name; errors quote names, so a long one is paid for many times.
    pub const NAME_BYTES: usize = 128;
    /// The introspection query needs 10; the rest is for literals. The deepest document must fit a stack of 512 KiB in a
    /// debug build, through parsing, validation and execution.
    pub const NESTING: usize = 40;
    /// Tools send a file of operations and name one.
    pub const OPERATIONS: usize = 10;
    /// Some for each component of a page.
    pub const FRAGMENTS: usize = 100;
    /// `@include` and `@skip` on the parts of a page.
    pub const DIRECTIVES: usize = 50;
    /// More than any field of a hand-written schema takes.
    pub const ARGUMENTS: usize = 32;
    /// Twenty times the introspection query (240).
    pub const FIELDS: usize = 5_000;
    /// The introspection query of graphql-js 16 is 15 deep.
    pub const DEPTH: usize = 16;
    /// Twice the depth: each selection may be a component's fragment.
    pub const LEVELS: usize = 32;
    /// Aliases are how one request makes many guesses.
    pub const ALIASES: usize = 100;
    /// A page shows a handful of things; each field of a mutation is a transaction of its own.
    pub const ROOT_FIELDS: usize = 20;
    /// A hundred tools with large schemas.
    pub const VALUES: usize = 50_000;
    /// Four bodies of 4 MiB.
    pub const VALUE_BYTES: usize = 16 * 1024 * 1024;
    /// A prompt of 512 KiB beside 32 arguments.
    pub const COPIES: usize = 16 * 1024 * 1024;
    /// A page of 100 that holds pages of 100 objects with nine fields.
    pub const COST: usize = 100_000;
    /// The length of a page when the document names none.
    pub const PAGE: usize = 20;
    /// Enough to mend a document by.
    pub const ERRORS: usize = 10;

    /// All of the above.
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
        values: Self::VALUES,
        value_bytes: Self::VALUE_BYTES,
        copies: Self::COPIES,
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
    /// [`Limits::values`].
    #[error("values in the variables")]
    Values,
    /// [`Limits::value_bytes`].
    #[error("bytes of values, counted wherever they stand")]
    ValueBytes,
    /// [`Limits::copies`].
    #[error("bytes of its longest string, times the arguments of fields")]
    Copies,
    /// [`Limits::cost`].
    #[error("points of cost")]
    Cost,
}

/// Refuses more than `limit` of something. `found` is where the counting stopped, so there may be more.
pub(crate) fn within(figure: Figure, found: usize, limit: usize) -> Result<(), Error> {
    if found > limit {
        let message =
            format!("The document is too complex: it has {found} {figure} or more, and {limit} are allowed.");
        return Err(Error::new(ErrorKind::TooComplex { figure, found, limit }, message));
    }
    Ok(())
}
