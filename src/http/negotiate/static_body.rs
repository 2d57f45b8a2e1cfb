//! Bodies that never change, such as the files of the explorer. Each is compressed once per coding, when a client
//! first accepts that coding, and then sent from memory.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use tokio::sync::OnceCell;

use super::{
    coding::Coding,
    compress::{add_vary, is_large_enough},
    etag,
};
use crate::{
    share::ShareHolder,
    task::{CpuError, Tasks},
};

/// A body that never changes, with its entity tag and its compressed forms.
#[derive(Debug)]
pub(in crate::http) struct StaticBody {
    plain: Bytes,
    etag: String,
    brotli: OnceCell<Bytes>,
    gzip: OnceCell<Bytes>,
}

impl StaticBody {
    /// Computes the entity tag of the body, and compresses nothing yet.
    pub(in crate::http) fn new(plain: impl Into<Bytes>) -> Self {
        let plain = plain.into();
        Self { etag: etag::strong(&plain), plain, brotli: OnceCell::new(), gzip: OnceCell::new() }
    }

    /// As [`StaticBody::new`], with the forms that were compressed when the service was built.
    pub(in crate::http) fn precompressed(
        plain: &'static [u8],
        brotli: Option<&'static [u8]>,
        gzip: Option<&'static [u8]>,
    ) -> Self {
        let cell = |bytes: Option<&'static [u8]>| OnceCell::new_with(bytes.map(Bytes::from_static));
        Self { brotli: cell(brotli), gzip: cell(gzip), ..Self::new(plain) }
    }

    /// Responds with this body and these headers, compressed if the client accepts that. Depending on the request's
    /// conditions, responds 304 or 412 instead, as [`etag::answer`] does.
    pub(in crate::http) async fn answer<const N: usize>(
        &self,
        tasks: &Tasks,
        request: &HeaderMap,
        request_id: &str,
        headers: [(HeaderName, &'static str); N],
    ) -> Response {
        let mut response = etag::answer(request, request_id, &self.etag, headers, self.plain.clone());
        if response.status() != StatusCode::OK || !is_large_enough(self.plain.len()) {
            return response;
        }
        // Without a compressed form, the layer that compresses responses would compress this one.
        if let Some(coding) = Coding::preferred(request)
            && let Ok(compressed) = self.compressed(tasks, coding).await
        {
            *response.body_mut() = compressed.into();
            add_vary(response.headers_mut());
            let coding = HeaderValue::from_static(coding.name());
            response.headers_mut().insert(header::CONTENT_ENCODING, coding);
        }
        response
    }

    /// The compressed body. While one request compresses it, others wait for the result.
    async fn compressed(&self, tasks: &Tasks, coding: Coding) -> Result<Bytes, CpuError> {
        let cell = match coding {
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        };
        let compress = async || {
            let plain = self.plain.clone();
            let work = move || Bytes::from(coding.compress_well(&plain));
            tasks.spawn_cpu(&ShareHolder::System, "static", work).await
        };
        cell.get_or_try_init(compress).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_static_body_is_compressed_once_for_each_coding() {
        let (tasks, body) = (Tasks::default(), StaticBody::new("static ".repeat(10_000)));
        let request =
            |coding| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(coding))]);
        for coding in ["br", "gzip"] {
            let ask = || async {
                let response = body.answer(&tasks, &request(coding), "id", []).await;
                assert_eq!(response.headers()[header::CONTENT_ENCODING], coding);
                assert_eq!(response.headers()[header::VARY], "accept-encoding");
                to_bytes(response.into_body(), usize::MAX).await.unwrap()
            };
            let first = ask().await;
            assert!(first.len() < 1_000, "{} bytes", first.len());
            assert_eq!(ask().await.as_ptr(), first.as_ptr(), "the same bytes in memory");
        }
        let plain = body.answer(&tasks, &HeaderMap::new(), "id", []).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        let known = HeaderMap::from_iter([
            (header::ACCEPT_ENCODING, HeaderValue::from_static("br")),
            (header::IF_NONE_MATCH, HeaderValue::from_str(&format!("W/{}", body.etag)).unwrap()),
        ]);
        assert_eq!(body.answer(&tasks, &known, "id", []).await.status(), StatusCode::NOT_MODIFIED);
    }
}
