//! The forms of secrets that their issuers have published: a prefix that no other text has, an alphabet and a length.
//!
//! - AWS: [IAM identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)
//! - GitHub: [token formats](https://github.blog/engineering/behind-githubs-new-authentication-token-formats/)
//! - GitLab: [token prefixes](https://docs.gitlab.com/security/tokens/#token-prefixes)
//! - Slack: [token types](https://docs.slack.dev/authentication/tokens/)
//! - Stripe: [keys](https://docs.stripe.com/keys)
//! - npm: [token format](https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/)
//! - PyPI: [API tokens](https://pypi.org/help/#apitoken), which are macaroons
//! - Hugging Face, DigitalOcean, Databricks, Shopify, Grafana and others: their own pages about tokens
//! - private keys: [RFC 7468](https://www.rfc-editor.org/rfc/rfc7468); JWTs:
//!   [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)
//!
//! An issuer is left out if no prefix tells its secrets from other texts.

use super::pattern::{
    Class::{Alnum, Base32, Base64, Digit, Hex, Letter, Lower, Upper, UrlSafe},
    Form,
    Part::{self, Gap, Of, Text},
};

/// Defines the forms: what it is, and one form or more.
macro_rules! forms {
    ($($what:literal: $([$($part:expr),+])|+;)*) => {
        &[$($(Form { what: $what, parts: &[$($part),+], is_whole: true },)+)*]
    };
}

/// A part of exactly `count` characters.
const fn exactly(count: usize, class: super::pattern::Class) -> Part {
    Of(class, count, count)
}

/// The most characters of a part without a published limit.
const LONG: usize = 8192;

/// The forms with an end.
pub(super) const FORMS: &[Form] = forms! {
    "an AWS access key": [Text("AKIA"), exactly(16, Base32)] | [Text("ASIA"), exactly(16, Base32)];
    "an age secret key": [Text("AGE-SECRET-KEY-1"), exactly(58, Upper)];
    "an Anthropic API key":
        [Text("sk-ant-api03-"), exactly(95, UrlSafe)] | [Text("sk-ant-admin01-"), exactly(95, UrlSafe)];
    "a Databricks token": [Text("dapi"), exactly(32, Hex)];
    "a DigitalOcean token":
        [Text("dop_v1_"), exactly(64, Hex)] | [Text("doo_v1_"), exactly(64, Hex)] | [Text("dor_v1_"), exactly(64, Hex)];
    "a GitHub token":
        [Text("ghp_"), exactly(36, Alnum)]
        | [Text("gho_"), exactly(36, Alnum)]
        | [Text("ghu_"), exactly(36, Alnum)]
        | [Text("ghs_"), exactly(36, Alnum)]
        | [Text("ghr_"), Of(Alnum, 36, 76)]
        | [Text("github_pat_"), exactly(22, Alnum), Text("_"), exactly(59, Alnum)];
    "a GitLab token":
        [Text("glpat-"), exactly(20, UrlSafe)]
        | [Text("glpat-"), Of(UrlSafe, 27, 300), Text("."), exactly(9, Lower)]
        | [Text("gldt-"), exactly(20, UrlSafe)]
        | [Text("glrt-"), exactly(20, UrlSafe)];
    "a Google API key": [Text("AIza"), exactly(35, UrlSafe)];
    "a Google OAuth client secret": [Text("GOCSPX-"), exactly(28, UrlSafe)];
    "a Grafana token": [Text("glsa_"), exactly(32, Alnum), Text("_"), exactly(8, Hex)];
    "a Hugging Face token": [Text("hf_"), exactly(34, Letter)];
    "a JWT": [
        Text("eyJ"), Of(UrlSafe, 17, LONG), Text(".eyJ"), Of(UrlSafe, 17, LONG), Text("."), Of(UrlSafe, 40, LONG)
    ];
    "a Linear API key": [Text("lin_api_"), exactly(40, Alnum)];
    "a Notion token": [Text("ntn_"), exactly(11, Digit), exactly(35, Alnum)];
    "an npm token": [Text("npm_"), exactly(36, Alnum)];
    "an OpenAI API key":
        [Text("sk-"), exactly(20, Alnum), Text("T3BlbkFJ"), exactly(20, Alnum)]
        | [Text("sk-proj-"), exactly(74, UrlSafe), Text("T3BlbkFJ"), exactly(74, UrlSafe)]
        | [Text("sk-proj-"), exactly(58, UrlSafe), Text("T3BlbkFJ"), exactly(58, UrlSafe)]
        | [Text("sk-svcacct-"), exactly(74, UrlSafe), Text("T3BlbkFJ"), exactly(74, UrlSafe)]
        | [Text("sk-svcacct-"), exactly(58, UrlSafe), Text("T3BlbkFJ"), exactly(58, UrlSafe)]
        | [Text("sk-admin-"), exactly(74, UrlSafe), Text("T3BlbkFJ"), exactly(74, UrlSafe)]
        | [Text("sk-admin-"), exactly(58, UrlSafe), Text("T3BlbkFJ"), exactly(58, UrlSafe)];
    "a Perplexity API key": [Text("pplx-"), exactly(48, Alnum)];
    "a Postman API key": [Text("PMAK-"), exactly(24, Hex), Text("-"), exactly(34, Hex)];
    "a Pulumi token": [Text("pul-"), exactly(40, Hex)];
    "a PyPI token": [Text("pypi-AgEIcHlwaS5vcmc"), Of(UrlSafe, 50, 1000)];
    "a RubyGems API key": [Text("rubygems_"), exactly(48, Hex)];
    "a SendGrid API key": [Text("SG."), exactly(22, UrlSafe), Text("."), exactly(43, UrlSafe)];
    "a Shopify token":
        [Text("shpat_"), exactly(32, Hex)]
        | [Text("shpca_"), exactly(32, Hex)]
        | [Text("shppa_"), exactly(32, Hex)]
        | [Text("shpss_"), exactly(32, Hex)];
    "a Slack token":
        [Text("xoxb-"), Of(Digit, 10, 13), Text("-"), Of(Digit, 10, 13), Text("-"), exactly(24, Alnum)]
        | [
            Text("xoxp-"), Of(Digit, 10, 13), Text("-"), Of(Digit, 10, 13), Text("-"), Of(Digit, 10, 13), Text("-"),
            Of(Alnum, 28, 34)
        ]
        | [
            Text("xapp-"), exactly(1, Digit), Text("-"), Of(Upper, 9, 12), Text("-"), Of(Digit, 10, 13), Text("-"),
            exactly(64, Hex)
        ];
    "a Slack webhook": [
        Text("https://hooks.slack.com/services/T"), Of(Upper, 8, 12), Text("/B"), Of(Upper, 8, 12), Text("/"),
        exactly(24, Alnum)
    ];
    "a Stripe live key": [Text("sk_live_"), Of(Alnum, 24, 247)] | [Text("rk_live_"), Of(Alnum, 24, 247)];
    "a Twilio API key": [Text("SK"), exactly(32, Hex)];
    "a Vault token": [Text("hvs."), Of(UrlSafe, 90, 120)];
};

/// Private keys, which are found by their first line and the beginning of the second.
pub(super) const PRIVATE_KEYS: &[Form] = &[
    private_key(&[Text("-----BEGIN PRIVATE KEY-----"), Gap, exactly(48, Base64)]),
    private_key(&[Text("-----BEGIN ENCRYPTED PRIVATE KEY-----"), Gap, exactly(48, Base64)]),
    private_key(&[Text("-----BEGIN RSA PRIVATE KEY-----"), Gap, exactly(48, Base64)]),
    private_key(&[Text("-----BEGIN EC PRIVATE KEY-----"), Gap, exactly(48, Base64)]),
    private_key(&[Text("-----BEGIN DSA PRIVATE KEY-----"), Gap, exactly(48, Base64)]),
    private_key(&[Text("-----BEGIN OPENSSH PRIVATE KEY-----"), Gap, exactly(48, Base64)]),
    private_key(&[Text("-----BEGIN PGP PRIVATE KEY BLOCK-----"), Gap, exactly(48, Base64)]),
];

const fn private_key(parts: &'static [Part]) -> Form {
    Form { what: "a private key", parts, is_whole: false }
}
