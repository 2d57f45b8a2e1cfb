//! Splits text with Markdown's marks into passages, and passages into sentences. It judges nothing.

/// A word as written, and the line that it begins on. Code between backticks is one word, [`CODE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Word {
    /// The word in lower case, without punctuation around it.
    pub(super) fn bare(&self) -> String {
        self.text.trim_matches(|mark: char| !mark.is_alphanumeric()).to_lowercase().replace('’', "'")
    }

    fn is_capital(&self) -> bool {
        self.text.chars().find(|mark| mark.is_alphanumeric()).is_some_and(char::is_uppercase)
    }

    /// Whether a sentence may end here, and how.
    fn end(&self) -> Option<char> {
        let text = self.text.trim_end_matches(['"', '\'', ')', '*', '_', '”', '’', ']']);
        text.chars().last().filter(|mark| ['.', '!', '?', ':'].contains(mark))
    }
}

/// The word that stands for code in a passage.
pub(super) const CODE: &str = "\u{1}";

/// Where a passage stands decides which of its sentences are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A paragraph or an item of a list.
    Text,
    /// A cell of a table: often a phrase.
    Cell,
    /// A heading: a phrase.
    Heading,
}

/// A paragraph, an item, a cell or a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) place: Place,
    pub(super) words: Vec<Word>,
}

/// A sentence: its words, and the mark at its end, if there is one.
pub(super) struct Sentence<'a> {
    /// Whether it opens its passage.
    pub(super) is_opening: bool,
    pub(super) words: &'a [Word],
    pub(super) end: Option<char>,
}

impl Sentence<'_> {
    /// Whether it begins with a capital letter.
    pub(super) fn is_capital(&self) -> bool {
        self.words.first().is_some_and(Word::is_capital)
    }
}

impl Passage {
    /// The words of a paragraph's characters, each with its line.
    fn of(place: Place, marks: &[(char, usize)]) -> Option<Passage> {
        let marks = without_addresses(&without_code(marks));
        let mut words: Vec<Word> = Vec::new();
        let mut is_within = false;
        for (mark, line) in marks {
            if mark.is_whitespace() {
                is_within = false;
                continue;
            }
            if !is_within {
                words.push(Word { text: String::new(), line });
            }
            is_within = true;
            if let Some(word) = words.last_mut() {
                word.text.push(mark);
            }
        }
        (!words.is_empty()).then_some(Passage { place, words })
    }

    /// Its sentences. One ends at a full stop, a question mark, an exclamation mark or a colon before a capital
    /// letter, a digit or code, and at the passage's end.
    pub(super) fn sentences(&self) -> Vec<Sentence<'_>> {
        let mut sentences = Vec::new();
        let mut begin = 0;
        for (at, word) in self.words.iter().enumerate() {
            let next = self.words.get(at + 1);
            let begins = next.is_none_or(|next| {
                next.is_capital()
                    || next.text.starts_with(CODE)
                    || next.bare().starts_with(|mark: char| mark.is_ascii_digit())
            });
            if next.is_none() || word.end().is_some() && begins {
                let is_opening = begin == 0;
                sentences.push(Sentence { is_opening, words: &self.words[begin..=at], end: word.end() });
                begin = at + 1;
            }
        }
        sentences
    }
}

/// The same with [`CODE`] for each part between runs of as many backticks.
fn without_code(marks: &[(char, usize)]) -> Vec<(char, usize)> {
    let run = |at: usize| marks[at..].iter().take_while(|(mark, _)| *mark == '`').count();
    let mut plain = Vec::new();
    let mut at = 0;
    while at < marks.len() {
        let ticks = run(at);
        if ticks == 0 {
            plain.push(marks[at]);
            at += 1;
            continue;
        }
        let mut close = at + ticks;
        while close < marks.len() && run(close) != ticks {
            close += run(close).max(1);
        }
        if close < marks.len() {
            plain.extend(CODE.chars().map(|mark| (mark, marks[at].1)));
            at = close + ticks;
        } else {
            at += ticks;
        }
    }
    plain
}

/// The same without the addresses of links, `](…)`.
fn without_addresses(marks: &[(char, usize)]) -> Vec<(char, usize)> {
    let mut plain = Vec::new();
    let mut rest = marks.iter().peekable();
    while let Some((mark, line)) = rest.next() {
        plain.push((*mark, *line));
        if *mark == ']' && rest.next_if(|(next, _)| *next == '(').is_some() {
            while rest.next().is_some_and(|(mark, _)| *mark != ')') {}
        }
    }
    plain
}

/// A line of Markdown, by its effect on the paragraph before it.
enum Line<'a> {
    /// Nothing: it is empty.
    Blank,
    /// It opens or closes a block of code.
    Fence,
    Heading(&'a str),
    Row(&'a str),
    Item(&'a str),
    More(&'a str),
}

impl Line<'_> {
    fn of(line: &str) -> Line<'_> {
        let line = line.trim().trim_start_matches("> ");
        let item = line
            .strip_prefix("- ")
            .or_else(|| line.strip_prefix("* "))
            .or_else(|| line.split_once(". ").filter(|(number, _)| is_number(number)).map(|(_, item)| item));
        if line.is_empty() {
            Line::Blank
        } else if line.starts_with("```") || line.starts_with("~~~") {
            Line::Fence
        } else if line.trim_start_matches('#').starts_with(' ') {
            Line::Heading(line.trim_start_matches('#'))
        } else if line.starts_with('|') {
            Line::Row(line)
        } else if let Some(item) = item {
            Line::Item(item)
        } else {
            Line::More(line)
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|mark| mark.is_ascii_digit())
}

/// The passages of lines of Markdown, which come with their numbers. Blocks of code are left out.
pub(super) fn passages<'a>(lines: impl IntoIterator<Item = (usize, &'a str)>) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut is_code = false;
    let add = |marks: &mut Vec<(char, usize)>, line: usize, text: &str| {
        marks.extend(text.chars().chain([' ']).map(|mark| (mark, line)));
    };
    for (number, line) in lines {
        let line = Line::of(line);
        if !matches!(line, Line::More(_)) {
            passages.extend(Passage::of(Place::Text, &open));
            open.clear();
        }
        match line {
            Line::Fence => is_code = !is_code,
            _ if is_code => open.clear(),
            Line::Blank => {}
            Line::Heading(text) => {
                let mut marks = Vec::new();
                add(&mut marks, number, text);
                passages.extend(Passage::of(Place::Heading, &marks));
            }
            Line::Row(row) => {
                for cell in row.split('|') {
                    let mut marks = Vec::new();
                    add(&mut marks, number, cell);
                    passages.extend(Passage::of(Place::Cell, &marks));
                }
            }
            Line::Item(text) | Line::More(text) => add(&mut open, number, text),
        }
    }
    passages.extend(Passage::of(Place::Text, &open));
    passages
}
