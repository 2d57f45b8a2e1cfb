//! The content codings of responses: which one a client prefers, and their encoders.

use std::io::Write;

use axum::http::{HeaderMap, header};
use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};

use super::{content_type::quality, header_list::members};

/// The level for a body that is compressed for one answer. It favours speed: brotli's highest level takes a hundred
/// times as long.
const ONCE: u32 = 4;
/// The level for a body that is compressed once per process.
const KEPT: u32 = 9;
/// The binary logarithm of brotli's window: 1 MiB, which bounds the memory of an encoder to a few MiB.
const BROTLI_WINDOW: u32 = 20;
/// The size of brotli's output buffer, in bytes.
const BROTLI_BUFFER: usize = 16 * 1024;

/// A content coding that the service supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// The client's preferred coding. `None` for no compression, also for a client that accepts none of ours: the
    /// request may have been a write, so its answer is sent in any case.
    pub(in crate::http) fn preferred(request: &HeaderMap) -> Option<Self> {
        let members: Vec<(&str, u16)> = members(request, header::ACCEPT_ENCODING)
            .map(|member| {
                let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
                (name.trim(), quality(parameters.split(';').map(str::trim)))
            })
            .collect();
        let liked = |names: &[&str]| {
            let named =
                members.iter().find(|(name, _)| names.iter().any(|own| name.eq_ignore_ascii_case(own)));
            named.or_else(|| members.iter().find(|(name, _)| *name == "*")).map_or(0, |(_, weight)| *weight)
        };
        let as_it_is = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("identity"));
        let as_it_is = as_it_is.map_or(0, |(_, weight)| *weight);
        let (gzip, brotli) = (liked(&["gzip", "x-gzip"]), liked(&["br"]));
        match gzip.max(brotli) {
            0 => None,
            best if best < as_it_is => None,
            best if best == brotli => Some(Self::Brotli),
            _ => Some(Self::Gzip),
        }
    }

    /// Its name in `Content-Encoding`.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Compresses a whole body that is sent once.
    pub(in crate::http) fn compress(self, body: &[u8]) -> Vec<u8> {
        Encoder::new(self).whole(body)
    }

    /// Compresses a whole body that is kept and sent many times: smaller, and several times slower.
    pub(in crate::http) fn compress_well(self, body: &[u8]) -> Vec<u8> {
        Encoder::with_level(self, KEPT).whole(body)
    }
}

/// Compresses a body piece by piece.
pub(in crate::http) enum Encoder {
    /// See [`Coding::Brotli`]. Large, so it is boxed.
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    /// See [`Coding::Gzip`].
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// An encoder for a body that is sent once.
    pub(in crate::http) fn new(coding: Coding) -> Self {
        Self::with_level(coding, ONCE)
    }

    fn with_level(coding: Coding, level: u32) -> Self {
        match coding {
            Coding::Brotli => {
                let writer = CompressorWriter::new(Vec::new(), BROTLI_BUFFER, level, BROTLI_WINDOW);
                Self::Brotli(Box::new(writer))
            }
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(level))),
        }
    }

    /// Compresses a whole body.
    fn whole(mut self, body: &[u8]) -> Vec<u8> {
        let mut compressed = self.write(body);
        compressed.append(&mut self.finish());
        compressed
    }

    /// Compresses a piece. Returns what is ready to be sent, which may be nothing.
    pub(in crate::http) fn write(&mut self, piece: &[u8]) -> Vec<u8> {
        // Writing to a vector can't fail.
        match self {
            Self::Brotli(writer) => {
                let _ = writer.write_all(piece);
                std::mem::take(writer.get_mut())
            }
            Self::Gzip(writer) => {
                let _ = writer.write_all(piece);
                std::mem::take(writer.get_mut())
            }
        }
    }

    /// Returns the end of the compressed body.
    pub(in crate::http) fn finish(self) -> Vec<u8> {
        match self {
            Self::Brotli(writer) => writer.into_inner(),
            Self::Gzip(writer) => writer.finish().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_coding() {
        for (lines, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["identity"], None),
            (&["zstd, deflate"], None),
            (&["gzip"], Some(Coding::Gzip)),
            (&["GZip"], Some(Coding::Gzip)),
            (&["x-gzip"], Some(Coding::Gzip)),
            (&["gzip, deflate, br, zstd"], Some(Coding::Brotli)),
            (&["gzip", "br"], Some(Coding::Brotli)),
            (&["br;q=0.5, gzip"], Some(Coding::Gzip)),
            (&["br;q=0, gzip;q=0"], None),
            (&["*"], Some(Coding::Brotli)),
            (&["*, br;q=0"], Some(Coding::Gzip)),
            (&["*;q=0"], None),
            (&["*;q=0, gzip"], Some(Coding::Gzip)),
            (&["identity;q=0"], None),
            (&["identity;q=0, *;q=0"], None),
            (&["identity, gzip;q=0.5"], None),
            (&["identity;q=0.5, gzip;q=0.5"], Some(Coding::Gzip)),
            (&["gzip;q=2"], Some(Coding::Gzip)),
            (&["gzip;q=.5, br;q=.2"], Some(Coding::Gzip)),
            (&["gzip;q=x"], Some(Coding::Gzip)),
            (&["gzip;level=9"], Some(Coding::Gzip)),
            (&["gzip;q=.0"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, line.parse().unwrap());
            }
            assert_eq!(Coding::preferred(&headers), expected, "{lines:?}");
        }
    }
}
