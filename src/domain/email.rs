//! E-mail addresses: the form in which they are stored and compared. May not depend on a locale.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::{Error, Result};

/// The longest address, in characters (RFC 5321, section 4.5.3.1.3).
pub const EMAIL_CHARS_MAX: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// The longest label of a domain, in bytes (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// The ASCII characters that the part before the `@` may have, besides letters, digits and dots (RFC 5322, section
/// 3.2.3: `atext`).
const LOCAL_SYMBOLS: &str = "!#$%&'*+-/=?^_`{|}~";

/// Returns an address in the form in which it is stored and compared: in lower case, by Unicode's own mapping, whatever
/// the locale. Rejects letters that only lower-casing turns into ASCII (the Kelvin sign into `k`), and invisible
/// characters: such an address could pass for another person's. Rejects quoted local parts and IP addresses as domains,
/// which no sign-in has.
///
/// # Errors
/// [`Error::Invalid`] for text that isn't one address.
pub fn normalize_email(email: &str) -> Result<String> {
    let wrong = || {
        let message = "email must be one e-mail address, such as ada@example.org";
        Error::invalid("email", message)
    };
    let (local, domain) = email.split_once('@').ok_or_else(wrong)?;
    let is_itself = |c: char| c.is_ascii() || !c.to_lowercase().any(|lower| lower.is_ascii());
    let is_plain = !email.chars().any(is_unseen) && email.chars().all(is_itself);
    let lower = email.to_lowercase();
    let fits = lower.chars().count() <= EMAIL_CHARS_MAX;
    if is_local_part(local) && is_domain(domain) && is_plain && fits { Ok(lower) } else { Err(wrong()) }
}

/// Returns the domain of an address.
#[must_use]
pub fn domain_of(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether text is atoms that are joined by single dots (RFC 5322, section 3.2.3; RFC 6532, section 3.2).
fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| {
        let is_in_atom = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || LOCAL_SYMBOLS.contains(c);
        !atom.is_empty() && atom.chars().all(is_in_atom)
    };
    local.len() <= LOCAL_BYTES_MAX && local.split('.').all(is_atom)
}

/// Whether text is a host's name (RFC 1123, section 2.1; RFC 5890 for other letters than ASCII's).
#[must_use]
pub fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_in_label = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.chars().all(is_in_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.split('.').all(is_label)
}

/// Whether a character is a separator (Z), a format character (Cf) or a control character (Cc).
fn is_unseen(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, SpaceSeparator};
    matches!(get_general_category(c), SpaceSeparator | LineSeparator | ParagraphSeparator | Format | Control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_stored_in_lower_case_whatever_the_locale() {
        for (given, stored) in [
            ("Ada@Example.org", "ada@example.org"),
            ("IVY@TITLE.EXAMPLE", "ivy@title.example"),
            ("ä.b+c@bücher.example", "ä.b+c@bücher.example"),
            ("ÄNNE@BÜCHER.example", "änne@bücher.example"),
            ("o'neil_1=x@mail-2.example", "o'neil_1=x@mail-2.example"),
            ("root@localhost", "root@localhost"),
        ] {
            assert_eq!(normalize_email(given).unwrap(), stored);
        }
    }

    #[test]
    fn what_is_not_one_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}", vec!["b".repeat(63); 4].join("."));
        for wrong in [
            "",
            "notmail",
            "@x",
            "a@",
            "a@x,b@x",
            "a@x;b@x",
            "a@x b@x",
            "a@@x",
            "a@b@x",
            "mailto:a@x",
            "a@x.",
            "a@.x",
            "a@x..y",
            ".a@x",
            "a.@x",
            "a..b@x",
            "<a@x>",
            "Ada <a@x>",
            "\"a b\"@x",
            "a@[127.0.0.1]",
            "a@x_y",
            "a@-x",
            "a@x-",
            "a@x/y",
            "a\\b@x",
            "(a)a@x",
            "\u{212a}im@x",
            "a@\u{212a}",
            &long,
            &longer,
        ] {
            assert!(normalize_email(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_holds_nothing_that_is_not_seen() {
        let unseen = [
            ' ',
            '\t',
            '\n',
            '\r',
            '\0',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{600}',
            '\u{1680}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2060}',
            '\u{3000}',
            '\u{feff}',
            '\u{e0020}',
        ];
        for c in unseen {
            for email in [
                format!("{c}ada@example.org"),
                format!("ada@example.org{c}"),
                format!("a{c}da@example.org"),
                format!("ada@exam{c}ple.org"),
            ] {
                assert!(normalize_email(&email).is_err(), "{email:?}");
            }
        }
    }
}
