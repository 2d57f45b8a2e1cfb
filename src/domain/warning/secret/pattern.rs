//! The form of a secret, and how a text is compared with it: from left to right, without going back.

/// The characters that a part of a secret has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// `0-9`.
    Digit,
    /// `0-9a-f`.
    Hex,
    /// `A-Z2-7`: base 32.
    Base32,
    /// `0-9A-Z`.
    Upper,
    /// `a-z0-9`.
    Lower,
    /// `A-Za-z`.
    Letter,
    /// `A-Za-z0-9`.
    Alnum,
    /// `A-Za-z0-9_-`: base 64 for addresses.
    UrlSafe,
    /// `A-Za-z0-9+/`: base 64.
    Base64,
}

impl Class {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Upper => matches!(byte, b'0'..=b'9' | b'A'..=b'Z'),
            Self::Lower => matches!(byte, b'0'..=b'9' | b'a'..=b'z'),
            Self::Letter => byte.is_ascii_alphabetic(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::UrlSafe => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
        }
    }
}

/// A part of a secret's form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Exactly this text.
    Text(&'static str),
    /// Characters of a class, as many as there are: at least the first number, at most the second.
    Of(Class, usize, usize),
    /// White space, as it is or escaped as in JSON: at least one character, at most eight.
    Gap,
}

/// The form of a secret. The first part is a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// What it is, for people.
    pub(super) what: &'static str,
    pub(super) parts: &'static [Part],
    /// Whether the secret ends with its last part. A private key has more.
    pub(super) is_whole: bool,
}

/// The fewest different characters in the random parts of a secret. Placeholders such as `xxxx…` have fewer.
const DIFFERENT_MIN: u32 = 6;

impl Form {
    /// The text that the secret begins with.
    pub(super) const fn prefix(&self) -> &'static str {
        match self.parts {
            [Part::Text(prefix), ..] => prefix,
            _ => "",
        }
    }

    /// The end of the secret that begins at `start`. A secret isn't part of a longer word: the characters before and after
    /// it are neither word characters nor of the class beside them.
    pub(super) fn end(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut classes = self.parts.iter().filter_map(Part::class);
        let is_apart = |byte: Option<&u8>, class: Option<Class>| {
            byte.is_none_or(|&byte| {
                !byte.is_ascii_alphanumeric() && byte != b'_' && !class.is_some_and(|class| class.has(byte))
            })
        };
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        let rest = text.get(start..)?;
        if !rest.starts_with(self.prefix().as_bytes()) || !is_apart(before, classes.next()) {
            return None;
        }
        let (mut at, mut seen) = (start, 0_u128);
        for part in self.parts {
            let rest = text.get(at..)?;
            let length = part.length(rest)?;
            if part.class().is_some() {
                rest.iter().take(length).for_each(|byte| seen |= 1 << (byte & 0x7f));
            }
            at += length;
        }
        let is_random = seen.count_ones() >= DIFFERENT_MIN;
        let last = self.parts.iter().rev().find_map(Part::class);
        (is_random && (!self.is_whole || is_apart(text.get(at), last))).then_some(at)
    }
}

impl Part {
    fn class(&self) -> Option<Class> {
        match self {
            Self::Of(class, ..) => Some(*class),
            Self::Text(_) | Self::Gap => None,
        }
    }

    /// How many bytes of `text` are this part.
    fn length(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Text(exact) => text.starts_with(exact.as_bytes()).then_some(exact.len()),
            Self::Of(class, least, most) => {
                let length = text.iter().take(*most).take_while(|byte| class.has(**byte)).count();
                (length >= *least).then_some(length)
            }
            Self::Gap => {
                let is_gap = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'\\';
                let is_escaped = |at: usize, byte: &u8| {
                    matches!(byte, b'n' | b'r') && at > 0 && text.get(at - 1) == Some(&b'\\')
                };
                let gap = text.iter().enumerate().take(8);
                let length = gap.take_while(|(at, byte)| is_gap(byte) || is_escaped(*at, byte)).count();
                (length > 0).then_some(length)
            }
        }
    }
}
