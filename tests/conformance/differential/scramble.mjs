// Documents in unusual layouts, and documents with a changed token or character. Most of the latter are invalid, in
// ways that no rule has chosen.

import { Lexer, Source, TokenKind } from "graphql";

/** The tokens of a text, as written. */
function tokensOf(text) {
  const lexer = new Lexer(new Source(text));
  const tokens = [];
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) tokens.push(text.slice(token.start, token.end));
  return tokens;
}

/** The same document with ignored tokens between its tokens (section 2.1.7). */
export function spaced(random, text) {
  const ignored = [" ", ",", "\n", "\r", "\r\n", "\t", "\uFEFF", "#,\n", "# a \"comment\" }\r", " ,\uFEFF, "];
  return tokensOf(text).map((token) => token + random.pick(ignored)).join("");
}

const CHARACTERS = [
  '"', "\\", "\\u", "\\u{", "\\uD83D", "\\u{1F600}", "\\u{110000}", "{", "}", "0", "1", "e", "_", ".", "-", "+", "#", "/", "$", "@", "&", "|", "%",
  "'", "`", ";", "?", ",", "\n", "\r", "\t", "\b", "\0", "\u0007", "\u007f", "\u00a0", "\u2028", "\ufeff", "é", "😀",
];

/** The text with a character changed or inserted: in a string, in a number, or between tokens. */
export function scratch(random, text) {
  for (;;) {
    const places = [...text.matchAll(/"[^"\n]*"|-?\d+|[ \n]+/g)];
    const place = random.pick(places);
    const at = place.index + random.whole(0, place[0].length);
    const changed = text.slice(0, at) + random.pick(CHARACTERS) + text.slice(at + (random.chance(0.3) ? 1 : 0));
    // Half of a surrogate pair can't be sent.
    if (changed.isWellFormed()) return changed;
  }
}

/** The text with one or two of its tokens changed. */
export function scramble(random, text) {
  const tokens = tokensOf(text);
  const times = random.whole(1, 2);
  for (let done = 0; done < times; done += 1) {
    const at = random.whole(0, tokens.length - 1);
    const other = random.whole(0, tokens.length - 1);
    random.pick([
      () => tokens.splice(at, 1),
      () => tokens.splice(at, 0, tokens[at]),
      () => tokens.splice(at, 2, ...tokens.slice(at, at + 2).reverse()),
      () => tokens.splice(at, 1, tokens[other]),
      () => tokens.splice(at, 0, tokens[other]),
      () => tokens.splice(at, 1, random.pick(["null", "true", "on", "fragment", "0", "-1", '""', "{", "}", "(", ")", "[", "]", "!", "=", ":", "$", "@", "...", "&", "|"])),
    ])();
  }
  return tokens.join(" ");
}
