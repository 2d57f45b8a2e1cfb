// Writes a document, whose ignored characters the build has removed, so that people can read it.

const TOKEN = /"""[\s\S]*?"""|"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d[\w.+-]*|[$@!:=(){}[\]|&]/g;

/** The document with a line for each field. */
export function formatDocument(text: string): string {
  let out = "";
  let indent = 0;
  let parentheses = 0;
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" && parentheses === 0) {
      indent += 1;
      out += " {";
    } else if (token === "}" && parentheses === 0) {
      indent -= 1;
      out += `\n${"  ".repeat(indent)}}`;
    } else if (parentheses > 0 || !startsLine(token, last, indent)) {
      out += spaceBefore(token, last, parentheses) + token;
    } else {
      out += `${out === "" ? "" : indent === 0 ? "\n\n" : `\n${"  ".repeat(indent)}`}${token}`;
    }
    if (token === "(") parentheses += 1;
    if (token === ")") parentheses -= 1;
    last = token;
  }
  return `${out.trim()}\n`;
}

/** Whether a token begins a field, a fragment or a definition. */
function startsLine(token: string, last: string, indent: number): boolean {
  if (indent === 0) return last === "}" || last === "";
  return /^(\.\.\.|[A-Za-z_]\w*)$/.test(token) && !/^(:|@|\.\.\.|on|\$)$/.test(last);
}

function spaceBefore(token: string, last: string, parentheses: number): string {
  if (/^[)\]:!(]$/.test(token) && !(token === "(" && last === "")) return "";
  if (parentheses > 0) {
    if (/^[($@[]$/.test(last)) return "";
    if (last === ":" || last === "=" || token === "=" || token === "@" || token === "{" || token === "}" || last === "{") return " ";
    return ", ";
  }
  if (last === "...") return token === "on" || token === "{" || token === "@" ? " " : "";
  return /^(\$|@|)$/.test(last) ? "" : " ";
}

/** A document and its variables, as a person would type them into GraphiQL. */
export function asGraphQL(document: { toString(): string }, variables: unknown): string {
  const values = JSON.stringify(variables, null, 2).split("\n").map((line) => `# ${line}`).join("\n");
  return `${formatDocument(document.toString())}\n# Variables:\n${values}\n`;
}
