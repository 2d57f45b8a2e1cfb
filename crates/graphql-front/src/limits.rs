//! Limits on the size and cost of a request.

use crate::error::{Error, ErrorKind};

/// Limits on the size and cost of a request. [`Limits::DEFAULT`] suits a schema of a few hundred fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens of text. A string or a comment of any length is one token.
    pub tokens: usize,
    /// Bytes in one name.
    pub name_bytes: usize,
    /// Nested brackets: `(`, `[` and `{`, counted together.
    pub nesting: usize,
    /// Operations in the document, including those that don't run.
    pub operations: usize,
    /// Fragments defined in the document.
    pub fragments: usize,
    /// Directives in the document.
    pub directives: usize,
    /// Arguments of one field.
    pub arguments: usize,
    /// Fields, spreads and inline fragments of all operations, with every fragment expanded.
    pub fields: usize,
    /// Nested fields. Fragments don't count.
    pub depth: usize,
    /// Nested selection sets. Those of fragments count.
    pub levels: usize,
    /// Aliases of all operations, with every fragment expanded.
    pub aliases: usize,
    /// Fields at the root of any operation, with every fragment expanded.
    pub root_fields: usize,
    /// Values within the values of variables.
    pub values: usize,
    /// Bytes of all values in the operation that runs. Each use of a value counts, so a variable or a literal in a
    /// fragment may count several times.
    pub value_bytes: usize,
    /// Bytes of the longest string in the document, multiplied by the number of arguments, because each conflict that
    /// validation reports contains a copy of an argument.
    pub copies: usize,
    /// Points of cost of the operation that runs. A field costs 1 point; a page costs its length times its content.
    pub cost: usize,
    /// The assumed length of a page for which the document gives none.
    pub page: usize,
    /// Errors reported for one request.
    pub errors: usize,
}

impl Limits {
    /// A prompt of 512 KiB may be a literal, and escapes can double its size.
    pub const BYTES: usize = 1024 * 1024;
    /// Forty times the introspection query (190), for a tool's schema written out as a literal.
    pub const TOKENS: usize = 8_000;
    /// Enough for generated names. Errors quote names, so a long name may be copied many times.
    pub const NAME_BYTES: usize = 128;
    /// The introspection query needs 10; the rest is for literals. Parsing, validating and executing the deepest
    /// document must fit a stack of 512 KiB in a debug build.
    pub const NESTING: usize = 40;
    /// Some tools send a file of several operations and name one.
    pub const OPERATIONS: usize = 10;
    /// A few for each component of a web page.
    pub const FRAGMENTS: usize = 100;
    /// `@include` and `@skip` on the parts of a web page.
    pub const DIRECTIVES: usize = 50;
    /// More than any field of a hand-written schema has.
    pub const ARGUMENTS: usize = 32;
    /// Twenty times the introspection query (240).
    pub const FIELDS: usize = 5_000;
    /// The introspection query of graphql-js 16 is 15 deep.
    pub const DEPTH: usize = 16;
    /// Twice the depth, since each selection may be a component's fragment.
    pub const LEVELS: usize = 32;
    /// Bounds brute force within one request, which needs aliases.
    pub const ALIASES: usize = 100;
    /// A web page shows a handful of things. Each field of a mutation is a transaction of its own.
    pub const ROOT_FIELDS: usize = 20;
    /// A hundred tools with large schemas.
    pub const VALUES: usize = 50_000;
    /// Four request bodies of 4 MiB.
    pub const VALUE_BYTES: usize = 16 * 1024 * 1024;
    /// A prompt of 512 KiB and 32 arguments.
    pub const COPIES: usize = 16 * 1024 * 1024;
    /// A page of 100 objects, each with a page of 100 objects with nine fields.
    pub const COST: usize = 100_000;
    /// The assumed length of a page for which the document gives none.
    pub const PAGE: usize = 20;
    /// Enough to fix a document.
    pub const ERRORS: usize = 10;

    /// The default limits.
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

/// A limit that was exceeded. Each variant is a field of [`Limits`], and displays as its name in the message.
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
    #[error("nested brackets")]
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
    #[error("nested fields")]
    Depth,
    /// [`Limits::levels`].
    #[error("nested selections")]
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
    #[error("bytes of values, counted at each use")]
    ValueBytes,
    /// [`Limits::copies`].
    #[error("bytes of its longest string, times the arguments of fields")]
    Copies,
    /// [`Limits::cost`].
    #[error("points of cost")]
    Cost,
}

/// Fails when `found` exceeds `limit`. Counting may have stopped at `found`, so there may be more.
pub(crate) fn within(figure: Figure, found: usize, limit: usize) -> Result<(), Error> {
    if found > limit {
        let message =
            format!("The document is too complex: it has {found} {figure} or more, and {limit} are allowed.");
        return Err(Error::new(ErrorKind::TooComplex { figure, found, limit }, message));
    }
    Ok(())
}
