//! Limits on the text.

/// The limits of one call of [`read`](crate::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text, a byte order mark included.
    pub bytes: usize,
    /// Nested arrays and objects. Reading doesn't recurse, but dropping, cloning, comparing and writing a tree
    /// does, so values above [`Limits::DEPTH_MAX`] are reduced to it.
    pub depth: usize,
    /// Members of objects and items of arrays, at any depth.
    pub values: usize,
    /// Whether to accept keys that some parsers interpret. This crate doesn't interpret them, but consumers of the
    /// tree may.
    pub takes_reserved_keys: bool,
}

impl Limits {
    /// The maximum depth: all operations on such a tree fit a stack of 512 KiB in a debug build.
    pub const DEPTH_MAX: usize = 128;

    /// 4 MiB, 127 levels (as deep as serde_json reads), and 100,000 values.
    pub const DEFAULT: Self =
        Self { bytes: 4 * 1024 * 1024, depth: 127, values: 100_000, takes_reserved_keys: false };

    /// Any number of bytes and values, 127 levels. For text that is limited otherwise, such as a column or a file
    /// of our own.
    pub const DEPTH_ONLY: Self =
        Self { bytes: usize::MAX, depth: 127, values: usize::MAX, takes_reserved_keys: false };

    /// As `DEPTH_ONLY`, with reserved keys. For values stored by older releases.
    pub const STORED: Self = Self { takes_reserved_keys: true, ..Self::DEPTH_ONLY };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
