//! Plants each form in each kind of file and sees it caught, and plain sentences that must pass.

use super::{faults, form::FORMS, short_descriptions, subjects};

/// A form of [`FORMS`], and a sentence of it.
#[rustfmt::skip]
const PLANTED: &[(&str, &str)] = &[
    ("~what|what's", "What it found, or was refused for, was written by another caller."),
    ("~what|what's", "What was sealed isn't in it."),
    ("~what|what's", "The log ends here. What's left is erased."),
    ("~what|what's", "The log ends here. What a reader needs stays."),
    ("^who|who's", "Who reads it is an operator."),
    ("^whatever", "Whatever is refused leaves nothing."),
    ("^those that|who", "Those that wait are woken."),
    ("^that which", "That which is signed can't change."),
    ("whoever|whomever|whosoever", "The row is locked for whoever reads it next."),
    ("for|by|to|with|from|at who", "A customer, locked for who adds to it."),
    ("^of|by|for|to|from|in|on|at|with which|whom|whose|what", "Of which agent."),
    ("as what", "The member and as what it joins."),
    ("^which one|ones$", "Which one."),
    ("^where|when|why|how|who|what$", "Why."),
    ("is|are|was|were|be|been|being told", "Each watcher is told of the commit."),
    ("comes|came to", "The record of what the write came to."),
    ("goes|went by", "The search goes by the index."),
    ("take|takes|took|taken|taking away", "This only takes away rights."),
    ("anew", "The plan is made anew each time."),
    ("so many", "Returns at most so many rows."),
    ("at hand", "A seat is at hand."),
    ("is|are|was|were so$", "A retry finds that it is so."),
];

/// Sentences that must pass.
const PLAIN: &[&str] = &[
    "Evicts entries that match. Reads in flight are always invalidated, since we can't tell yet whether they match.",
    "What the cache holds for one agent.",
    "What is wrong, and what would be accepted.",
    "What a member may do at a customer: null for strangers.",
    "Who wrote it? What does it cost?",
    "The caller that sent it, and what it may read.",
    "Returns what the query found, or whatever the cache holds.",
    "The status is 409. The body says why.",
    "Waits until the connection comes. To close it, drop the guard.",
    "Calls `what is told anew` and ``so many ` at hand`` by name.",
    "See [the list](docs/what.md#whoever-is told).",
    "Retries after a timeout, so many-part uploads resume.",
    "Prices are as stored, so that they don't change.",
    "The owner of the agent, which is never null.",
];

#[test]
fn each_form_is_caught_and_each_is_planted() {
    for form in FORMS {
        assert!(PLANTED.iter().any(|(words, _)| *words == form.words), "`{}` is not planted", form.words);
        assert!(!form.plain.is_empty());
    }
    for (words, sentence) in PLANTED {
        let found = faults("docs/page.md", sentence);
        assert!(found.iter().any(|fault| fault.contains(&format!("(`{words}`)"))), "{sentence}: {found:?}");
        assert_eq!(found.len(), 1, "{sentence}: {found:?}");
    }
}

#[test]
fn plain_sentences_pass() {
    for sentence in PLAIN {
        assert_eq!(faults("docs/page.md", sentence), [""; 0]);
        assert_eq!(faults("src/page.rs", &format!("/// {sentence}\nfn f() {{}}")), [""; 0]);
    }
}

#[test]
fn a_fault_says_where_it_is() {
    let text = "# What this is\n\nThe first line.\nEach watcher is\ntold of it.\n";
    let found = faults("docs/page.md", text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("docs/page.md:4: \"is told of it.\" (`"), "{found:?}");
}

#[test]
fn only_comments_of_rust_are_prose() {
    let code = r##"
//! Reads `x`.
const A: &str = "// whoever"; // A seat is at hand.
const B: char = '"'; const C: &str = r#"/// "whoever"#; let d: &'static str = "\"// anew";
/// The first line is
/// told here, and r" is no literal.
fn whoever() {} // This goes
    // by two lines.
"##;
    let lines: Vec<String> = faults("src/x.rs", code)
        .iter()
        .map(|fault| fault.split(" (").next().unwrap_or_default().to_owned())
        .collect();
    let expected = [
        "src/x.rs:3: \"at hand.\"",
        "src/x.rs:5: \"is told here, and r\" is no literal.\"",
        "src/x.rs:7: \"goes by two lines.\"",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn documents_are_read_without_code_and_headings() {
    let text = "## Who may read\n\n```sh\nwhoever # anew\n```\n\n| what | Who |\n| --- | --- |\n| What is kept | Why |\n";
    assert_eq!(faults("README.md", text), [""; 0]);
    let text =
        "- The first.\n- Who asks waits.\n1. Of which agent.\n\n| a | What was kept is erased. |\n> Whoever.";
    let lines = faults("README.md", text);
    let lines: Vec<&str> = lines.iter().map(|fault| fault.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(lines, ["README.md:2", "README.md:3", "README.md:5", "README.md:6"]);
}

#[test]
fn descriptions_of_both_schemas_are_prose() {
    let sdl = "\"The agent is\nnot this.\"\n\"Of which agent.\"\ntype A {\n  \"\"\"\n  The id.\n  It is told\n  anew.\n  \"\"\"\n  id: ID! @deprecated(reason: \"Use whoever.\")\n}\n";
    let lines = faults("schema.graphql", sdl);
    let lines: Vec<&str> = lines.iter().map(|fault| fault.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(lines, ["schema.graphql:3", "schema.graphql:7", "schema.graphql:8", "schema.graphql:10"]);
    let json = "{\n  \"description\": \"The id.\\n\\nIt comes to\\nnothing.\",\n  \"summary\": \"Who asks waits.\",\n  \"x\": \"anew\"\n}";
    let lines = faults("docs/openapi.json", json);
    let lines: Vec<&str> = lines.iter().map(|fault| fault.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(lines, ["docs/openapi.json:2", "docs/openapi.json:3"]);
}

#[test]
fn a_description_of_two_words_is_caught() {
    let sdl = "\"Its UUID.\"\ntype A {\n  \"The agent's id.\"\n  id: ID!\n  \"\"\"\n  Who.\n  \"\"\"\n  by: ID\n}\n";
    assert_eq!(
        short_descriptions("schema.graphql", sdl),
        ["schema.graphql:1: \"Its UUID.\"", "schema.graphql:6: \"Who.\""]
    );
    let json = "{\n  \"description\": \"Found.\",\n  \"summary\": \"One.\"\n}";
    assert_eq!(short_descriptions("docs/openapi.json", json), ["docs/openapi.json:2: \"Found.\""]);
}

/// Subjects of commits that are refused, each with words of the reason.
const REFUSED: &[(&str, &str)] = &[
    ("Added a rule", "use the imperative"),
    ("Adding a rule", "use the imperative"),
    ("Adds a rule", "use the imperative"),
    ("A rule of subjects", "begin with a verb"),
    ("The rule of subjects", "begin with a verb"),
    ("fix: add a rule", "capital letter"),
    ("fixup! Add a rule", "capital letter"),
    ("Add a rule.", "full stop"),
    ("Add a rule, and say all that there is to say of it at once in one subject", "has 73 characters"),
];

/// Subjects of commits that pass.
const ACCEPTED: &[&str] = &[
    "Add a rule",
    "Address the review",
    "Bring tests together",
    "Embed the schema",
    "Focus the first field",
    "Feed watchers from the log",
    "Pass the token on",
    "Revert \"Add a rule, and say all that there is to say of it at once, in a subject\"",
    "Add a rule of 72 characters: ä, ö, ü and others are a character each, ok",
];

#[test]
fn subjects_are_judged() {
    for (subject, reason) in REFUSED {
        let (is_well, said) = subjects(&["--stdin"], &format!("abc {subject}\n"));
        assert!(!is_well && said.contains(reason) && said.contains("abc: "), "{subject}: {said}");
        assert_eq!(said.lines().count(), 2, "{subject}: {said}");
    }
    for subject in ACCEPTED {
        assert_eq!(subjects(&["--stdin"], &format!("abc {subject}\n")), (true, String::new()), "{subject}");
    }
    let (is_well, said) = subjects(&["0000000000000000000000000000000000000000..HEAD"], "");
    assert!(is_well && said.contains("NOT CHECKED"), "{said}");
}

#[test]
fn a_message_is_judged_by_its_first_line() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("message");
    let judge = |message: &str| {
        std::fs::write(&file, message).unwrap();
        subjects(&["--message", file.to_str().unwrap()], "").0
    };
    assert!(judge("\n# Added by git\nAdd a rule\n\nAdded because it is needed.\n"));
    assert!(judge("fixup! Added a rule\n"));
    assert!(judge(""));
    assert!(!judge("Added a rule\n\nAdd it.\n"));
}
