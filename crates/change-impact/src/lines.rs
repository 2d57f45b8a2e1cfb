//! The difference of two prompts by lines.

use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff, udiff::UnifiedHunkHeader};

/// The most time to search for the smallest difference. Prompts may have 512 KiB, and a slightly larger difference is
/// better than a busy core.
const EFFORT: Duration = Duration::from_millis(100);

/// The number of unchanged lines around each change.
pub const CONTEXT_LINES: usize = 3;

/// Lines that differ, with [`CONTEXT_LINES`] around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The number of the first line in the older text, from 1. The line before the hunk if it has none of the older
    /// text's lines, as in a unified diff.
    pub old_start: usize,
    /// The same for the newer text.
    pub new_start: usize,
    /// The lines, in order.
    pub lines: Vec<HunkLine>,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HunkLine {
    /// Which of the texts has it.
    pub kind: LineKind,
    /// The line, without its LF. If a text's last line lacks its LF, the line differs from one that has it: it is
    /// removed and added with the same text.
    pub text: String,
}

/// Which of the texts has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// Both.
    Context,
    /// Only the newer one.
    Added,
    /// Only the older one.
    Removed,
}

/// The difference of two texts by lines, which end at LF alone. Takes up to 100 ms for large texts that differ much.
#[must_use]
pub fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    if old == new {
        return Vec::new();
    }
    compared(old, new, hunks_of)
}

/// The same difference as a unified diff; `None` when the texts are equal. `patch` reads it, since lines end at LF
/// alone.
#[must_use]
pub fn unified(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    Some(compared(old, new, unified_of))
}

/// Compares two texts by lines.
fn compared<T>(old: &str, new: &str, read: impl for<'a> FnOnce(&TextDiff<'a, 'a, 'a, str>) -> T) -> T {
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<&str>>();
    let (old, new) = (lines(old), lines(new));
    read(&TextDiff::configure().timeout(EFFORT).diff_slices(&old, &new))
}

fn unified_of(diff: &TextDiff<'_, '_, '_, str>) -> String {
    let mut text = String::new();
    for hunk in diff.grouped_ops(CONTEXT_LINES) {
        text += &format!("{}\n", UnifiedHunkHeader::new(&hunk));
        for change in hunk.iter().flat_map(|part| diff.iter_changes(part)) {
            text.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            text += change.value();
            if !change.value().ends_with('\n') {
                text += "\n\\ No newline at end of file\n";
            }
        }
    }
    text
}

fn hunks_of(diff: &TextDiff<'_, '_, '_, str>) -> Vec<Hunk> {
    let line = |tag: ChangeTag, text: &str| HunkLine {
        kind: match tag {
            ChangeTag::Equal => LineKind::Context,
            ChangeTag::Insert => LineKind::Added,
            ChangeTag::Delete => LineKind::Removed,
        },
        text: text.strip_suffix('\n').unwrap_or(text).to_owned(),
    };
    let hunk = |ops: Vec<DiffOp>| {
        let (old, new) = span(&ops);
        let changes = ops.iter().flat_map(|op| diff.iter_changes(op));
        let lines = changes.map(|change| line(change.tag(), change.value())).collect();
        Hunk { old_start: old, new_start: new, lines }
    };
    diff.grouped_ops(CONTEXT_LINES).into_iter().map(hunk).collect()
}

/// The first lines of a hunk in both texts.
fn span(ops: &[DiffOp]) -> (usize, usize) {
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return (0, 0) };
    let start = |first: usize, end: usize| if first == end { first } else { first + 1 };
    (
        start(first.old_range().start, last.old_range().end),
        start(first.new_range().start, last.new_range().end),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(old: &str, new: &str) -> String {
        let mut text = String::new();
        for hunk in hunks(old, new) {
            text += &format!("@{},{}\n", hunk.old_start, hunk.new_start);
            for line in hunk.lines {
                let mark = match line.kind {
                    LineKind::Context => ' ',
                    LineKind::Added => '+',
                    LineKind::Removed => '-',
                };
                text += &format!("{mark}{}\n", line.text);
            }
        }
        text
    }

    #[test]
    fn a_hunk_has_three_lines_around_its_change() {
        assert_eq!(
            written("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "@2,2\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
        let lines = |words: [&str; 2]| format!("{}\n{}{}\n", words[0], "x\n".repeat(9), words[1]);
        assert_eq!(
            written(&lines(["a", "b"]), &lines(["A", "B"])),
            "@1,1\n-a\n+A\n x\n x\n x\n@8,8\n x\n x\n x\n-b\n+B\n"
        );
        assert_eq!(written("same\n", "same\n"), "");
    }

    #[test]
    fn lines_end_at_lf_alone() {
        assert_eq!(
            written("a\rb\u{2028}c\r\n", "a\rb\u{2028}d\r\n"),
            "@1,1\n-a\rb\u{2028}c\r\n+a\rb\u{2028}d\r\n"
        );
        assert_eq!(written("a\nb", "a\nb\n"), "@1,1\n a\n-b\n+b\n", "the end of the last line");
        assert_eq!(written("", "a\n"), "@0,1\n+a\n");
        assert_eq!(written("a\n", ""), "@1,0\n-a\n");
    }
}
