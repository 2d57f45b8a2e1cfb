// Documents with a token that is left out, doubled, moved, or put in another's place: most are wrong, some are right, and
// what is wrong with them nobody chose.

import { Lexer, Source, TokenKind } from "graphql";

/** The tokens of a text, as they are written. */
function tokensOf(text) {
  const lexer = new Lexer(new Source(text));
  const tokens = [];
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) tokens.push(text.slice(token.start, token.end));
  return tokens;
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
