//! Secrets of each form are found wherever they are, and what is nearly one isn't.

use std::time::{Duration, Instant};

use json_reader::{Json, Limits};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    FINDINGS_MAX, SecretFinding, find_secrets,
    forms::{FORMS, PRIVATE_KEYS},
    pattern::{Class, Form, Part},
    redacted, refuse_own,
    scan::OWN,
};
use crate::domain::{
    auth::opaque_token::{OpaqueToken, TokenKind},
    version::Content,
};

/// The characters of a class.
fn alphabet(class: Class) -> Vec<u8> {
    (0..=127).filter(|byte| class.has(*byte)).collect()
}

/// A secret of this form. `shorter` is how many characters its last part has too few.
fn secret(form: &Form, seed: &[u8], shorter: usize) -> String {
    let mut seeds = seed.iter().cycle();
    let mut text = String::new();
    let last = form.parts.len() - 1;
    for (nth, part) in form.parts.iter().enumerate() {
        match *part {
            Part::Text(exact) => text.push_str(exact),
            Part::Gap => text.push('\n'),
            Part::Of(class, least, most) => {
                let letters = alphabet(class);
                let more =
                    if nth == last && shorter > 0 { 0 } else { usize::from(*seeds.next().unwrap()) % 5 };
                let count = (least + more).min(most) - if nth == last { shorter } else { 0 };
                // Never fewer different characters than a random text has.
                for at in 0..count {
                    let nth = usize::from(*seeds.next().unwrap()) + at;
                    text.push(char::from(letters[nth % letters.len()]));
                }
            }
        }
    }
    text
}

/// A content without a secret.
fn content() -> Content {
    Content {
        system_prompt: String::new(),
        model_name: "m".to_owned(),
        model_parameters: read("{}"),
        tools: Vec::new(),
        extensions: None,
    }
}

fn in_prompt(prompt: &str) -> Vec<(&'static str, Option<usize>)> {
    let found = find_secrets(&Content { system_prompt: prompt.to_owned(), ..content() });
    found.into_iter().map(|SecretFinding { what, line, .. }| (what, line)).collect()
}

fn forms() -> impl Iterator<Item = &'static Form> {
    FORMS.iter().chain(PRIVATE_KEYS)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_form_is_found_wherever_it_is(
        seed in prop::collection::vec(any::<u8>(), 64),
        lines in 0_usize..5,
        before in prop::sample::select(vec!["", " ", "\"", "=", "(", "キー", "\t", "`", "é:"]),
        after in prop::sample::select(vec!["", " ", "\"", "\n", ")", "。", ",", "`", ";"]),
    ) {
        for form in forms() {
            let text = format!("{}{before}{}{after}", "A line.\n".repeat(lines), secret(form, &seed, 0));
            prop_assert_eq!(in_prompt(&text), [(form.what, Some(lines + 1))], "{}", text);
        }
    }

    #[test]
    fn what_is_too_short_or_part_of_a_word_is_none(seed in prop::collection::vec(any::<u8>(), 64)) {
        for form in forms() {
            let whole = secret(form, &seed, 0);
            let mut misses = vec![format!("x{whole}"), format!("_{whole}"), secret(form, &seed, 1)];
            // Where the alphabet has `_` and the length varies, it is one character more of the secret.
            let is_longer = matches!(form.parts.last(), Some(Part::Of(class, least, most)) if class.has(b'_') && least < most);
            if form.is_whole && !is_longer {
                misses.push(format!("{whole}_"));
            }
            for text in misses {
                let found = in_prompt(&text);
                prop_assert!(!found.iter().any(|(what, _)| *what == form.what), "{}: {:?}", text, found);
            }
        }
    }

    #[test]
    fn any_text_is_read_and_redacted(text in "(?s)(.|sk-|ghp_|ark_|-----BEGIN |[0-9a-f]{8}){0,60}") {
        in_prompt(&text);
        redacted(&text);
    }
}

fn own(kind: TokenKind) -> String {
    OpaqueToken::new(kind, Uuid::from_u128(7), [0xab; 32]).to_string()
}

#[test]
fn own_credentials_are_known_by_their_checksum() {
    for kind in TokenKind::ALL {
        let token = own(kind);
        for text in [token.clone(), format!("x{token}y"), token.to_uppercase().replacen("AR", "ar", 1)] {
            let text =
                text.replacen("arK_", "ark_", 1).replacen("arS_", "ars_", 1).replacen("arC_", "arc_", 1);
            assert_eq!(in_prompt(&text), [(OWN, Some(1))], "{text}");
        }
        let mut invented = token.clone();
        invented.replace_range(107.., if token.ends_with('0') { "1" } else { "0" });
        assert_eq!(in_prompt(&invented), []);
        assert_eq!(in_prompt(&token[..107]), []);
    }
}

fn read(text: &str) -> Json {
    json_reader::read(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

/// A token that is no one's.
const GITHUB: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

#[test]
fn the_place_is_named_and_the_secret_is_not() {
    let parameters = read(&format!(r#"{{"stop":["a","{GITHUB}"],"{GITHUB}":{{"deep":"{GITHUB}"}}}}"#));
    let tools = vec![
        read(r#"{"name":"one"}"#),
        read(&format!(
            r#"{{"name":"two","description":"x {GITHUB}","input_schema":{{"properties":{{"a":{{"default":"{GITHUB}"}}}}}},
                "vendor":{{"key":"{GITHUB}"}}}}"#
        )),
    ];
    let extensions = read(&format!(
        r#"{{"org.example/mcp":{{"servers":[{{"{GITHUB}":1,"token":"{GITHUB}"}}]}},"urn:x:{GITHUB}":["{GITHUB}"]}}"#
    ));
    let found = find_secrets(&Content {
        model_parameters: parameters,
        tools,
        extensions: Some(extensions),
        ..content()
    });
    let places: Vec<String> = found.iter().map(|found| found.path.join(".")).collect();
    assert_eq!(
        places,
        [
            "modelParameters.stop.1",
            "modelParameters",
            "modelParameters.….deep",
            "tools.1.description",
            "tools.1.inputSchema.properties.a.default",
            "tools.1.additional.vendor.key",
            "extensions.org.example/mcp.servers.0",
            "extensions.org.example/mcp.servers.0.token",
            "extensions",
            "extensions.urn:x:….0",
        ]
    );
    let fields: Vec<_> = found.iter().map(|found| found.refusal().path().unwrap().join(" ")).collect();
    assert_eq!(
        fields,
        [
            "modelParameters",
            "modelParameters",
            "modelParameters",
            "tools 1 description",
            "tools 1 inputSchema",
            "tools 1 additional",
            "extensions org.example/mcp",
            "extensions org.example/mcp",
            "extensions",
            "extensions urn:x:…",
        ]
    );
    assert!(found.iter().all(|found| !format!("{found:?}{}", found.refusal()).contains("ghp_")));
}

/// The messages of other warnings quote names, patterns and references.
#[test]
fn no_warning_quotes_a_secret() {
    let tool = format!(
        r##"{{"name":"a b {GITHUB}","inputSchema":{{"type":"object","properties":{{
            "{GITHUB}":{{"pattern":"([ {GITHUB}"}},"b":{{"$ref":"#/{GITHUB}"}},"c":{{"$ref":"https://e.org/{GITHUB}"}}}}}}}}"##
    );
    let content =
        Content { system_prompt: format!("one\ntwo {GITHUB}"), tools: vec![read(&tool)], ..content() };
    let warnings = content.check().unwrap().warnings();
    let mut rules: Vec<_> = warnings.iter().map(|warning| warning.rule.as_str()).collect();
    rules.dedup();
    assert_eq!(rules, ["SECRET", "TOOL_NAME", "PATTERN", "DANGLING_REF", "REMOTE_REF"]);
    assert_eq!(warnings[0].line, Some(2));
    for warning in warnings {
        assert!(!format!("{warning:?}{}", warning.refusal()).contains("ghp_"), "{warning:?}");
    }
}

#[test]
fn no_error_about_an_extension_quotes_a_secret() {
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for (extensions, field) in [
        (format!(r#"{{"{GITHUB}":1}}"#), "extensions …"),
        (format!(r#"{{"x{} {GITHUB} {}":1}}"#, "a".repeat(240), "b".repeat(40)), "extensions"),
        (format!(r#"{{"urn:x:{GITHUB}":{deep}}}"#), "extensions urn:x:…"),
        (format!(r#"{{"urn:x:{GITHUB}":"\u0000"}}"#), "extensions urn:x:…"),
    ] {
        let refused = Content { extensions: Some(read(&extensions)), ..content() }.check().unwrap_err();
        assert_eq!(refused.path().unwrap().join(" "), field);
        assert!(!format!("{refused:?} {refused}").contains("ghp_"), "{refused}");
    }
}

#[test]
fn a_text_is_refused_for_own_credentials_alone() {
    assert!(refuse_own("message", &format!("see {GITHUB}")).is_ok());
    let token = own(TokenKind::Api);
    let refused = refuse_own("message", &format!("see {token}")).unwrap_err();
    assert_eq!(refused.field(), Some("message"));
    assert!(
        refused.to_string().starts_with("`message` contains") && !refused.to_string().contains(&token[40..])
    );
}

#[test]
fn placeholders_and_examples_are_none() {
    let many = |prefix: &str, letter: &str, count: usize| format!("{prefix}{}", letter.repeat(count));
    for text in [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        many("ghp_", "x", 36),
        many("sk-ant-api03-", "X", 95),
        many("SK", "0", 32),
        many("npm_", "a", 36),
        "sk-…, sk-YOUR_API_KEY, ark_…, ${OPENAI_API_KEY}".to_owned(),
        "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUFQ3aD0hL0Yk5tZrG0u9mK8y2bq4wCgYIKoZIzj0EAwIw"
            .to_owned(),
    ] {
        assert_eq!(in_prompt(&text), [], "{text}");
    }
}

/// Real prompts and tools, from the repository's own demo and tests.
#[test]
fn real_prompts_and_tools_have_none() {
    let files = [
        include_str!("../../../../assets/demo/prompts.jsonl"),
        include_str!("../../../../tests/api/content/github-mcp-tools.jsonl"),
    ];
    for line in files.iter().flat_map(|file| file.lines()) {
        let content = Content {
            system_prompt: line.to_owned(),
            extensions: Some(read(line)),
            model_parameters: read(line),
            ..content()
        };
        assert_eq!(find_secrets(&content), [], "{line}");
    }
}

#[test]
fn a_megabyte_of_beginnings_is_soon_read() {
    let many = |text: &str| text.repeat(1024 * 1024 / text.len());
    let tokens = format!("{} ", own(TokenKind::Api));
    for text in [
        "eyJ",
        "eyJ-",
        "eyJa.",
        "sk-ant-api03-",
        "sk-proj-",
        "ark_",
        "ars_0",
        "glpat-",
        "pypi-AgEIcHlwaS5vcmc",
        "-----BEGIN PRIVATE KEY-----\n",
        "sk_live_",
        "https://hooks.slack.com/services/T",
        "a ",
        &tokens,
    ] {
        let (text, began) = (many(text), Instant::now());
        assert!(in_prompt(&text).len() <= FINDINGS_MAX);
        // Some milliseconds when optimised; a minute if the time grew with the square of the length.
        assert!(began.elapsed() < Duration::from_secs(5), "{:?} for {:.20}", began.elapsed(), text);
    }
}
