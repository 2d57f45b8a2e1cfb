//! The small pages of signing in. They work without a script, and hold no secret: a form is sent to the address of its page.

use std::fmt::Write;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::http::routes::console::POLICY;

/// A part of a page.
pub(super) enum Part<'a> {
    /// A paragraph.
    Text(&'a str),
    /// A paragraph of less weight.
    Note(&'a str),
    /// A command to run on the server.
    Command(&'a str),
    /// A button that sends an empty form to the page's own address.
    Button(&'a str),
    /// A link to this address, as a button.
    Link(&'a str, &'a str),
}

/// A page, before it is sent.
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    pub(super) title: &'a str,
    pub(super) parts: &'a [Part<'a>],
    /// The address that the page moves on to at once.
    pub(super) moves_to: Option<&'a str>,
}

impl<'a> Page<'a> {
    /// A page with this status, title and content.
    pub(super) fn new(status: StatusCode, title: &'a str, parts: &'a [Part<'a>]) -> Self {
        Self { status, title, parts, moves_to: None }
    }

    fn html(&self) -> String {
        let title = escape(self.title);
        let mut html = String::from(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n",
        );
        if let Some(address) = self.moves_to {
            // A redirect would be part of the navigation that the issuer began, for which browsers send no Strict cookie.
            push(
                &mut html,
                format_args!("<meta http-equiv=\"refresh\" content=\"0;url={}\">\n", escape(address)),
            );
        }
        push(
            &mut html,
            format_args!(
                "<title>{title} · Agent Registry</title>\n<link rel=\"stylesheet\" href=\"/auth/page.css\">\n\
                 </head>\n<body>\n<main>\n<h1>{title}</h1>\n"
            ),
        );
        for part in self.parts {
            let part = match part {
                Part::Text(text) => format!("<p>{}</p>\n", escape(text)),
                Part::Note(text) => format!("<p class=\"muted\">{}</p>\n", escape(text)),
                Part::Command(text) => format!("<p><code>{}</code></p>\n", escape(text)),
                Part::Button(text) => {
                    format!(
                        "<form method=\"post\"><button class=\"button\">{}</button></form>\n",
                        escape(text)
                    )
                }
                Part::Link(text, address) => {
                    format!("<p><a class=\"button\" href=\"{}\">{}</a></p>\n", escape(address), escape(text))
                }
            };
            html.push_str(&part);
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
    }
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Body::from(self.html())).into_response();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            // Not `no-referrer`: with that, a browser sends `Origin: null` with the form. The address of a link is in no
            // request to elsewhere.
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = html.write_fmt(text);
}

/// Text as HTML, also within a quoted attribute.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_and_no_markup() {
        let parts = [Part::Text("<script>alert(1)</script>"), Part::Link("a\"b", "/x?a=\"><b>&c='")];
        let page = Page { moves_to: Some("/\"><script>"), ..Page::new(StatusCode::OK, "</title>", &parts) };
        let html = page.html();
        assert!(
            !html.contains("<script>") && !html.contains("</title></") && !html.contains("<b>"),
            "{html}"
        );
        assert!(html.contains("url=/&quot;&gt;&lt;script&gt;"), "{html}");
    }
}
