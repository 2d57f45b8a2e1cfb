//! The page that a browser shows after it has signed in. It is a path of this site, or a link to the sign-in could send
//! people to any other site (an open redirect).

use serde::{Deserialize, Serialize};

/// The longest path, in bytes, its query included.
const PATH_BYTES_MAX: usize = 1_024;

/// A path of this site, with its query: it begins with one slash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Parses a path of this site. `None` for any other address, and for a text that a browser could read as one:
    /// browsers drop tabs and line ends, and read a backslash as a slash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() <= PATH_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>".contains(&byte));
        let is_path = text.starts_with('/') && !text.starts_with("//");
        (is_plain && is_path).then(|| Self(text.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnPath {
    /// The first page.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl TryFrom<String> for ReturnPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("it isn't a path of this site")
    }
}

impl From<ReturnPath> for String {
    fn from(ReturnPath(path): ReturnPath) -> Self {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_site_is_kept_and_no_other_address() {
        for path in ["/", "/console", "/c/city/agents?order=name&q=a%20b", "/a#b", "/@x", "/a//b"] {
            assert_eq!(ReturnPath::parse(path).unwrap().as_str(), path);
        }
        for text in [
            "",
            "console",
            "//elsewhere.invalid",
            "///elsewhere.invalid",
            "/\\elsewhere.invalid",
            "\\\\elsewhere.invalid",
            "/\t/elsewhere.invalid",
            "/\n/elsewhere.invalid",
            " /console",
            "/a b",
            "/ä",
            "/\"><script>",
            "https://elsewhere.invalid/",
            "javascript:alert(1)",
            &format!("/{}", "x".repeat(PATH_BYTES_MAX)),
        ] {
            assert_eq!(ReturnPath::parse(text), None, "{text}");
        }
    }
}
