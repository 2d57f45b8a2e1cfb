//! The forms that the prose does without, each with a plain alternative, and how a form is found in a passage.

use super::text::{Passage, Place, Sentence};

/// A form to reject.
pub(super) struct Form {
    /// The words of the form in lower case. `a|b` is either word; `^` before the first word is the beginning of a
    /// sentence with a capital letter that isn't a question, `$` after the last one the sentence's end. `~` is `^`
    /// where the words begin a subject: a phrase that opens a passage passes, like `What the cache holds.`
    pub(super) words: &'static str,
    /// A plain alternative.
    pub(super) plain: &'static str,
}

/// A short list, each with few false alarms.
#[rustfmt::skip]
pub(super) const FORMS: &[Form] = &[
    Form { words: "~what|what's",            plain: "name the subject: \"The result …\", \"A caller's rights …\"" },
    Form { words: "^who|who's",              plain: "name the subject: \"The caller …\", \"A member …\"" },
    Form { words: "^whatever",               plain: "name the subject, or write \"Any …\"" },
    Form { words: "^those that|who",         plain: "name them: \"Entries that …\"" },
    Form { words: "^that which",             plain: "name the subject" },
    Form { words: "whoever|whomever|whosoever", plain: "name the person or program: \"any caller that …\"" },
    Form { words: "for|by|to|with|from|at who", plain: "name the person or program: \"for callers that …\"" },
    Form { words: "^of|by|for|to|from|in|on|at|with which|whom|whose|what",
                                             plain: "describe the thing: \"The agent that the version belongs to\"" },
    Form { words: "as what",                 plain: "name it: \"the role\", \"the type\"" },
    Form { words: "^which one|ones$",        plain: "describe the thing, not its type" },
    Form { words: "^where|when|why|how|who|what$", plain: "describe the thing: its unit, and when it is null" },
    Form { words: "is|are|was|were|be|been|being told",
                                             plain: "say what happens: receives, is notified, is sent, learns from the response" },
    Form { words: "comes|came to",           plain: "say what it is: results in, amounts to, becomes, reaches" },
    Form { words: "goes|went by",            plain: "uses, follows, depends on; passes" },
    Form { words: "take|takes|took|taken|taking away", plain: "removes, revokes, deletes" },
    Form { words: "anew",                    plain: "again, from the start; regenerates" },
    Form { words: "so many",                 plain: "name the number: \"`first` objects\", \"the number of …\"" },
    Form { words: "at hand",                 plain: "available, installed, cached, in memory" },
    Form { words: "is|are|was|were so$",     plain: "say what is the case" },
];

impl Form {
    /// Where in the sentence the form begins, if it is there.
    fn find(&self, sentence: &Sentence<'_>, place: Place) -> Option<usize> {
        if self.words.starts_with('~') && sentence.is_opening && !has_main_verb(sentence) {
            return None;
        }
        let (is_first, words) =
            self.words.strip_prefix(['^', '~']).map_or((false, self.words), |words| (true, words));
        let (is_last, words) = words.strip_suffix('$').map_or((false, words), |words| (true, words));
        let is_whole = place == Place::Text || place == Place::Cell && sentence.end == Some('.');
        if is_first && (!is_whole || !sentence.is_capital() || sentence.end == Some('?')) {
            return None;
        }
        let form: Vec<&str> = words.split(' ').collect();
        let bare: Vec<String> = sentence.words.iter().map(super::text::Word::bare).collect();
        let mut windows = bare.windows(form.len()).enumerate();
        let found = windows.find(|(at, words)| {
            (!is_first || *at == 0)
                && (!is_last || at + form.len() == bare.len())
                && words.iter().zip(&form).all(|(word, form)| form.split('|').any(|form| form == word))
        });
        found.map(|(at, _)| at)
    }
}

/// Verbs in forms that only a clause has. The list is short: it judges only phrases that open a passage.
#[rustfmt::skip]
const FINITE: [&str; 22] = [
    "is", "isn't", "are", "aren't", "was", "wasn't", "were", "weren't", "has", "hasn't", "have", "haven't", "had", "can",
    "can't", "may", "must", "will", "won't", "would", "doesn't", "don't",
];

/// Words that open a clause.
#[rustfmt::skip]
const CLAUSE: [&str; 13] = [
    "what", "who", "whom", "which", "that", "whose", "where", "when", "while", "if", "as", "how", "because",
];

/// Whether a sentence with a clause for its subject has a verb besides the clauses' own, like
/// `What was sealed is gone.`
fn has_main_verb(sentence: &Sentence<'_>) -> bool {
    let bare: Vec<String> = sentence.words.iter().map(super::text::Word::bare).collect();
    let count = |list: &[&str]| bare.iter().filter(|word| list.contains(&word.as_str())).count();
    count(&FINITE) > count(&CLAUSE)
}

/// The forms in a passage: the line of each, and a message with the sentence's words around it.
pub(super) fn found(passage: &Passage) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for sentence in passage.sentences() {
        for form in FORMS {
            if let Some(at) = form.find(&sentence, passage.place) {
                let around = sentence.words[at..].iter().take(8).map(|word| word.text.as_str());
                let around = around.collect::<Vec<_>>().join(" ").replace(super::text::CODE, "`…`");
                let message = format!("\"{around}\" (`{}`): {}", form.words, form.plain);
                found.push((sentence.words[at].line, message));
            }
        }
    }
    found
}
