//! Which of the types that we have a client likes best (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

use super::list::members;

/// One member of `Accept`: which types it means, and how much they are liked.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    /// None when it is malformed, and so means nothing.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let quality = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
        });
        Some(Self { kind, subtype, quality: quality.unwrap_or(Some(1000))? })
    }

    /// How exactly it means this type; none when it does not mean it.
    fn fits(&self, offer: &str) -> Option<u8> {
        let (kind, subtype) = offer.split_once('/')?;
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            (of, "*") if of.eq_ignore_ascii_case(kind) => Some(1),
            (of, this) if of.eq_ignore_ascii_case(kind) && this.eq_ignore_ascii_case(subtype) => Some(2),
            _ => None,
        }
    }
}

/// A `qvalue`: 0 to 1, with at most three digits after the point.
pub(super) fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_one = match whole {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = format!("{part:0<3}").parse::<u16>().ok()?;
    match (is_one, part) {
        (false, part) => Some(part),
        (true, 0) => Some(1000),
        (true, _) => None,
    }
}

/// What the client likes best of `offers`, which are in our own order; none when it takes none of them.
///
/// Of what it likes equally, the one that it names most exactly wins, then the one that it names first, then the one
/// that is first here. Without the header, or with an empty one, it takes the first.
pub fn best<T: Copy>(headers: &HeaderMap, offers: &[(&str, T)]) -> Option<T> {
    let members: Vec<&str> = members(headers, header::ACCEPT).filter(|member| !member.is_empty()).collect();
    if members.is_empty() {
        return offers.first().map(|(_, first)| *first);
    }
    let ranges: Vec<Range<'_>> = members.into_iter().filter_map(Range::parse).collect();
    let liked = offers.iter().filter_map(|(name, offer)| {
        // The range that means it most exactly decides, whatever others say of it (section 12.5.1).
        let fitting = ranges.iter().enumerate();
        let fitting = fitting.filter_map(|(at, range)| Some((range.fits(name)?, at, range.quality)));
        let (exactness, at, quality) =
            fitting.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        (quality > 0).then_some(((quality, exactness, std::cmp::Reverse(at)), *offer))
    });
    liked.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, offer)| offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses() {
        let offers = [("application/json", "json"), ("application/graphql-response+json", "graphql")];
        let cases = [
            (&[][..], Some("json")),
            (&["", " , "], Some("json")),
            (&["*/*"], Some("json")),
            (&["application/*"], Some("json")),
            (&["application/graphql-response+json"], Some("graphql")),
            (&["Application/GraphQL-Response+JSON ; Charset=UTF-8"], Some("graphql")),
            (&["*/*, application/graphql-response+json"], Some("graphql")),
            (&["application/graphql-response+json;q=0.5, */*"], Some("json")),
            (&["application/graphql-response+json, application/json"], Some("graphql")),
            (&["application/json, application/graphql-response+json"], Some("json")),
            (&["application/json;q=0.9, application/graphql-response+json"], Some("graphql")),
            (&["application/json;q=0.9", "application/graphql-response+json;q=1.000"], Some("graphql")),
            (&["application/json ; Q=0.001"], Some("json")),
            (&["application/json;q=0, */*"], Some("graphql")),
            (&["application/*;q=0, application/graphql-response+json;q=0.1"], Some("graphql")),
            (&["*/*;q=0"], None),
            (&["application/json;q=0"], None),
            (&["application/json;q=0.0000"], None),
            (&["application/json;q=1.001"], None),
            (&["application/json;q=NaN"], None),
            (&["application/json;q=-1, application/json;q=+0.5"], None),
            (&["text/html, application/xml;q=0.9"], None),
            (&["application/jsonp"], None),
            (&["*/json"], None),
            (&["json"], None),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT, line.parse().unwrap());
            }
            assert_eq!(best(&headers, &offers), expected, "{lines:?}");
        }
    }
}
