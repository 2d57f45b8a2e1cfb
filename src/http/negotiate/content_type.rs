//! Content negotiation by `Accept` (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use axum::http::{HeaderMap, header};

use super::header_list::members;

/// A media range of `Accept`, with its weight.
struct MediaRange<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// The weight, in thousandths.
    quality: u16,
}

impl<'a> MediaRange<'a> {
    /// Parses a member of `Accept`. `None` if it isn't a media range.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        // Java's URLConnection sends `*` for `*/*`.
        let (kind, subtype) = match parts.next()? {
            "*" => ("*", "*"),
            range => {
                range.split_once('/').filter(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty())?
            }
        };
        Some(Self { kind, subtype, quality: quality(parts) })
    }

    /// The specificity with which the range matches a type: 2 for the type, 1 for `type/*`, 0 for `*/*`. `None`
    /// without a match.
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

/// The weight among a member's parameters, in thousandths (RFC 9110, section 12.4.2). A missing or malformed weight
/// is 1.
pub(in crate::http) fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let given = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
    });
    given.flatten().unwrap_or(1000)
}

/// Parses a decimal number as a weight. Accepts forms such as `.2` and `0.33333` too, and caps values above 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_decimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_decimal(whole) || !is_decimal(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    if whole.bytes().any(|digit| digit != b'0') {
        return Some(1000);
    }
    let first: u16 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    // Only zero means "not acceptable", so smaller values round up to a thousandth.
    let is_more = part.bytes().any(|digit| digit != b'0');
    Some(first.max(u16::from(is_more)))
}

/// The media ranges of the header. Empty if none can be parsed, which means the same as no header.
fn ranges(headers: &HeaderMap) -> Vec<MediaRange<'_>> {
    members(headers, header::ACCEPT).filter_map(MediaRange::parse).collect()
}

/// The rank of a type for the client: weight, specificity, then position. The most specific matching range decides
/// (RFC 9110, section 12.5.1). `None` if the client doesn't accept the type.
fn rank(ranges: &[MediaRange<'_>], name: &str) -> Option<(u16, u8, Reverse<usize>)> {
    let fitting = ranges.iter().enumerate();
    let fitting = fitting.filter_map(|(at, range)| Some((range.fits(name)?, at, range.quality)));
    let (exactness, at, quality) = fitting.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    (quality > 0).then_some((quality, exactness, Reverse(at)))
}

/// Whether the client accepts this type.
pub(in crate::http) fn accepts(headers: &HeaderMap, name: &str) -> bool {
    let ranges = ranges(headers);
    ranges.is_empty() || rank(&ranges, name).is_some()
}

/// Chooses the client's preferred type among `offers`. `None` if the client accepts none of them.
///
/// Types of equal weight are ordered by specificity, then by their position in the header, then by that in `offers`.
/// Without the header, or without a valid media range in it, the first offer wins.
pub fn best<T: Copy>(headers: &HeaderMap, offers: &[(&str, T)]) -> Option<T> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return offers.first().map(|(_, first)| *first);
    }
    let liked = offers.iter().filter_map(|(name, offer)| Some((rank(&ranges, name)?, *offer)));
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
            (&["application/json;q=.0, */*;q=.0"], None),
            (&["text/html, application/xml;q=0.9"], None),
            (&["application/jsonp"], None),
            (&["*/json"], None),
            // Without a media range, the header is ignored.
            (&["json"], Some("json")),
            (&["/, x/, /x"], Some("json")),
            // Malformed weights, and forms beyond RFC 9110.
            (&["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], Some("json")),
            (&["application/json;q=.9"], Some("json")),
            (&["application/json;q=.9, application/graphql-response+json;q=.95"], Some("graphql")),
            (&["application/json;q=1.001"], Some("json")),
            (&["application/json;q=2, application/graphql-response+json;q=0.99"], Some("json")),
            (&["application/json;q=0.00001"], Some("json")),
            (&["application/json;q=NaN"], Some("json")),
            (&["application/json;q="], Some("json")),
            (&["application/json;q=.", "application/graphql-response+json;q=0.999"], Some("json")),
            (&["application/json;q=-1, application/json;q=+0.5"], Some("json")),
            (&["application/json;q"], Some("json")),
            (&["*"], Some("json")),
            (&["*;q=0"], None),
            (&["*;q=0.1, application/graphql-response+json"], Some("graphql")),
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
