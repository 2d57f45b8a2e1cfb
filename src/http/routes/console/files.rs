//! The files of the console that `build.rs` has listed.

/// A file, and its compressed forms.
pub struct EmbeddedFile {
    /// Its path below `assets/console`.
    pub name: &'static str,
    /// Its content.
    pub plain: &'static [u8],
    /// Its content in brotli.
    pub brotli: Option<&'static [u8]>,
    /// Its content in gzip.
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/console_files.rs"));
