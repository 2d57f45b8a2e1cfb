//! The values of strings (GraphQL, section 2.10.4).

use super::lexer::run;

/// The value of the string that this begins with, and its length in bytes; none when it is malformed or does not end.
pub(super) fn line(text: &str) -> Option<(String, usize)> {
    let (mut value, mut at) = (String::new(), 1);
    loop {
        let rest = text.get(at..)?;
        match rest.as_bytes().first()? {
            b'"' => return Some((value, at + 1)),
            b'\\' => {
                let (character, length) = escaped(rest.get(1..)?)?;
                value.push(character);
                at += 1 + length;
            }
            b'\n' | b'\r' => return None,
            _ => {
                let plain = run(rest.as_bytes(), |byte| !matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
                value.push_str(rest.get(..plain)?);
                at += plain;
            }
        }
    }
}

/// The character that stands after a backslash, and how long it is written.
fn escaped(text: &str) -> Option<(char, usize)> {
    let plain = match text.bytes().next()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((plain, 1))
}

/// `uXXXX`, two of them for what takes two, or `u{X…}`.
fn unicode(text: &str) -> Option<(char, usize)> {
    let hex = |text: &str| {
        let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(text, 16).ok().filter(|_| is_hex)
    };
    if let Some(rest) = text.strip_prefix("u{") {
        let (digits, _) = rest.split_once('}')?;
        return Some((char::from_u32(hex(digits)?)?, digits.len() + 3));
    }
    let first = hex(text.get(1..5)?)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 5));
    }
    let second = hex(text.get(5..)?.strip_prefix("\\u")?.get(..4)?)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)?, 11))
}

/// The value of the block string that this begins with, and its length in bytes; none when it does not end.
pub(super) fn block(text: &str) -> Option<(String, usize)> {
    let mut end = 3;
    loop {
        end += text.get(end..)?.find("\"\"\"")?;
        if text.as_bytes().get(end - 1) != Some(&b'\\') {
            break;
        }
        end += 3;
    }
    let raw = text.get(3..end)?;
    let value =
        if raw.contains('\\') { unindented(&raw.replace("\\\"\"\"", "\"\"\"")) } else { unindented(raw) };
    Some((value, end + 3))
}

/// The lines without the indentation that all but the first have in common, and without blank ones at both ends.
fn unindented(raw: &str) -> String {
    let normal;
    let raw = if raw.contains('\r') {
        normal = raw.replace("\r\n", "\n").replace('\r', "\n");
        normal.as_str()
    } else {
        raw
    };
    let indent = |line: &str| line.bytes().take_while(|byte| *byte == b' ' || *byte == b'\t').count();
    let written = raw.split('\n').skip(1).map(|line| (indent(line), line.len()));
    let common = written.filter(|(indent, length)| indent < length).map(|(indent, _)| indent).min();
    let common = common.unwrap_or(0);
    let (mut value, mut kept) = (String::with_capacity(raw.len()), 0);
    for (nth, line) in raw.split('\n').enumerate() {
        let is_blank = indent(line) == line.len();
        if value.is_empty() && is_blank {
            continue;
        }
        if !value.is_empty() {
            value.push('\n');
        }
        value.push_str(if nth == 0 { line } else { line.get(common..).unwrap_or_default() });
        if !is_blank {
            kept = value.len();
        }
    }
    value.truncate(kept);
    value
}
