//! How much of the text is read.

/// The bounds of one call of [`read`](crate::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text, a byte order mark included.
    pub bytes: usize,
    /// Arrays and objects that are open at one place. Reading doesn't recurse, but dropping, cloning, comparing and
    /// writing a tree does, so values above [`Limits::DEPTH_MAX`] count as that.
    pub depth: usize,
    /// Members of objects and items of arrays, at any depth.
    pub values: usize,
    /// Whether keys are taken that some parsers take for instructions. This crate never obeys them, but whatever the tree is
    /// handed to may.
    pub takes_reserved_keys: bool,
}

impl Limits {
    /// The greatest depth: what a stack of 512 KiB holds in a debug build, whatever is done with the tree.
    pub const DEPTH_MAX: usize = 128;

    /// 4 MiB, 127 levels (as deep as serde_json reads), and 100,000 values.
    pub const DEFAULT: Self =
        Self { bytes: 4 * 1024 * 1024, depth: 127, values: 100_000, takes_reserved_keys: false };

    /// Any number of bytes and values, 127 levels: for text that something else bounds, such as a column or a file of our
    /// own.
    pub const DEPTH_ONLY: Self =
        Self { bytes: usize::MAX, depth: 127, values: usize::MAX, takes_reserved_keys: false };

    /// The same, with reserved keys: for what an older release has stored.
    pub const STORED: Self = Self { takes_reserved_keys: true, ..Self::DEPTH_ONLY };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
