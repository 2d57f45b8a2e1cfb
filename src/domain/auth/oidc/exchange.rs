//! The exchange of a code for tokens at an issuer's token endpoint (OpenID Connect Core 1.0, section 3.1.3). The answer
//! is bounded in time and bytes, and redirects aren't followed.

use json_reader::{Limits, read_as};
use reqwest::{Url, header};
use serde::Deserialize;

use super::{
    super::{
        description::Endpoints,
        refusal::{TOKEN_BYTES_MAX, quoted},
        source::read_body,
    },
    client::ClientSettings,
    refusal::SignInError,
};

/// The largest answer of a token endpoint, in bytes: an ID token, an access token, a refresh token, and space around.
const ANSWER_BYTES_MAX: usize = 4 * TOKEN_BYTES_MAX;

/// The values that a code is exchanged with.
pub(super) struct CodeExchange<'e> {
    pub(super) code: &'e str,
    pub(super) verifier: &'e str,
    pub(super) redirect: &'e str,
}

/// The tokens of a successful answer. The access token isn't used: it only confirms the ID token's `at_hash`.
#[derive(Deserialize)]
pub(super) struct TokenSet {
    pub(super) id_token: String,
    pub(super) access_token: Option<String>,
}

/// How a client proves itself to the token endpoint (OpenID Connect Core 1.0, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientProof<'c> {
    Basic(&'c str),
    Post(&'c str),
    /// The code verifier alone.
    Public,
}

impl<'c> ClientProof<'c> {
    fn choose(endpoints: &Endpoints, client: &'c ClientSettings) -> Result<Self, SignInError> {
        let Some(secret) = client.secret() else { return Ok(Self::Public) };
        let Some(methods) = &endpoints.token_endpoint_auth_methods_supported else {
            return Ok(Self::Basic(secret));
        };
        let has = |method: &str| methods.iter().any(|found| found == method);
        if has("client_secret_basic") {
            Ok(Self::Basic(secret))
        } else if has("client_secret_post") {
            Ok(Self::Post(secret))
        } else {
            let why = "its token endpoint accepts neither client_secret_basic nor client_secret_post";
            Err(SignInError::Endpoint(why.to_owned()))
        }
    }
}

/// Exchanges a code for tokens.
pub(super) async fn exchange(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    client: &ClientSettings,
    CodeExchange { code, verifier, redirect }: CodeExchange<'_>,
) -> Result<TokenSet, SignInError> {
    let url = Endpoints::url("token_endpoint", endpoints.token_endpoint.as_ref());
    let url = url.map_err(SignInError::Endpoint)?;
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", verifier),
    ];
    let mut request = http.post(url).header(header::ACCEPT, "application/json");
    match ClientProof::choose(endpoints, client)? {
        // Both are encoded before they are joined (RFC 6749, section 2.3.1).
        ClientProof::Basic(secret) => {
            request = request.basic_auth(encode(client.id()), Some(encode(secret)));
        }
        ClientProof::Post(secret) => fields.extend([("client_id", client.id()), ("client_secret", secret)]),
        ClientProof::Public => fields.push(("client_id", client.id())),
    }
    let request =
        request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form(fields));
    let answer = request.send().await.map_err(|err| SignInError::Silent(err.without_url().to_string()))?;
    let status = answer.status();
    if status.is_server_error() {
        return Err(SignInError::Silent(format!("its token endpoint returned status {status}")));
    }
    let body = read_body(answer, ANSWER_BYTES_MAX).await;
    let body = body.map_err(|why| SignInError::Answer(format!("its token endpoint's answer: {why}")))?;
    if status.is_success() { read_tokens(&body) } else { Err(read_error(&body, &status.to_string())) }
}

fn limits() -> Limits {
    Limits { bytes: ANSWER_BYTES_MAX, ..Limits::DEFAULT }
}

/// Reads the tokens. The reason for a failure contains none of the answer's text.
fn read_tokens(body: &[u8]) -> Result<TokenSet, SignInError> {
    read_as(body, &limits())
        .map_err(|_| SignInError::Answer("its token endpoint's answer has no id_token".to_owned()))
}

/// Reads the error of a token endpoint (RFC 6749, section 5.2).
fn read_error(body: &[u8], status: &str) -> SignInError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    match read_as::<Refusal>(body, &limits()) {
        Ok(Refusal { error }) if error == "invalid_grant" => SignInError::Code,
        Ok(Refusal { error }) if ["invalid_client", "unauthorized_client"].contains(&error.as_str()) => {
            SignInError::Client(quoted(&error))
        }
        Ok(Refusal { error }) => {
            SignInError::Answer(format!("its token endpoint returned the error {}", quoted(&error)))
        }
        Err(_) => SignInError::Answer(format!("its token endpoint returned status {status}")),
    }
}

/// Encodes fields as a form.
fn form<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> String {
    let url = Url::parse_with_params("form:", fields).ok();
    url.and_then(|url| url.query().map(str::to_owned)).unwrap_or_default()
}

/// Encodes one value as in a form.
fn encode(value: &str) -> String {
    form([("", value)]).trim_start_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_a_form() {
        assert_eq!(
            form([("code", "a+b&c=d"), ("redirect_uri", "https://a/b?c d")]),
            "code=a%2Bb%26c%3Dd&redirect_uri=https%3A%2F%2Fa%2Fb%3Fc+d"
        );
        assert_eq!(
            (encode("a:b c"), encode("=x"), encode("")),
            ("a%3Ab+c".into(), "%3Dx".into(), String::new())
        );
    }

    #[test]
    fn a_client_proves_itself_as_the_issuer_accepts() {
        let client = |secret: Option<&str>| {
            let secret = secret.map(str::to_owned);
            ClientSettings::parse(Some("console".to_owned()), secret, Vec::new()).unwrap().unwrap()
        };
        let (with, without) = (client(Some("hush")), client(None));
        let accepts = |methods: Option<&[&str]>| Endpoints {
            token_endpoint_auth_methods_supported: methods
                .map(|methods| methods.iter().map(|&method| method.to_owned()).collect()),
            ..Endpoints::default()
        };
        for (methods, proof) in [
            (None, ClientProof::Basic("hush")),
            (Some(&["client_secret_post", "client_secret_basic"][..]), ClientProof::Basic("hush")),
            (Some(&["none", "client_secret_post"]), ClientProof::Post("hush")),
        ] {
            assert_eq!(ClientProof::choose(&accepts(methods), &with), Ok(proof), "{methods:?}");
            assert_eq!(ClientProof::choose(&accepts(methods), &without), Ok(ClientProof::Public));
        }
        let refused = ClientProof::choose(&accepts(Some(&["private_key_jwt"])), &with);
        assert!(matches!(refused, Err(SignInError::Endpoint(_))), "{refused:?}");
    }

    #[test]
    fn an_answer_is_tokens_or_a_reason_without_any() {
        let tokens = read_tokens(br#"{"id_token":"a","access_token":"b","refresh_token":"c"}"#).unwrap();
        assert_eq!((tokens.id_token.as_str(), tokens.access_token.as_deref()), ("a", Some("b")));
        for body in [r#"{"access_token":"hush"}"#, "hush", r#"{"id_token":["hush"]}"#, r#"["hush"]"#] {
            let reason = read_tokens(body.as_bytes()).err().unwrap().to_string();
            assert!(!reason.contains("hush"), "{reason}");
        }
        assert_eq!(
            read_error(br#"{"error":"invalid_grant","error_description":"x"}"#, "400"),
            SignInError::Code
        );
        assert!(matches!(read_error(br#"{"error":"invalid_client"}"#, "401"), SignInError::Client(_)));
        assert!(matches!(read_error(br#"{"error":"invalid_scope"}"#, "400"), SignInError::Answer(_)));
        let reason = read_error(b"<html>hush", "404 Not Found").to_string();
        assert!(reason.contains("404") && !reason.contains("hush"), "{reason}");
    }
}
