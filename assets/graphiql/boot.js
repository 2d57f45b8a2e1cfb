// Starts GraphiQL on this service's own /graphql.
//
// The token lives in this tab's sessionStorage and nowhere else: not in localStorage, where GraphiQL keeps
// queries and tabs, not in its history, not in a URL. The editor for headers is off for the same reason: GraphiQL
// writes what is typed there into its history.

(() => {
  "use strict";

  const KEY = "agent-registry.token";
  const COMMAND = "agent-registry token user --subject me --operator";
  const HOW = ["Make one with ", { code: COMMAND }, " and paste its last line here."];

  const QUERY = `# Ctrl-Enter runs what is here.
query WhoAmI {
  viewer { kind name isOperator }
}

# Customers, their agents, what each one serves:
#
# query {
#   customers(first: 5) {
#     nodes {
#       id name
#       agents(first: 5) {
#         nodes {
#           id name activeVersion { number }
#         }
#       }
#     }
#   }
# }

# Each activation, as it comes:
#
# subscription {
#   activations {
#     agent { name } version { number } reason
#   }
# }
`;

  const http = new URL("graphql", document.baseURI);
  const socket = new URL(http);
  socket.protocol = http.protocol === "https:" ? "wss:" : "ws:";

  const field = document.getElementById("token");
  const forget = document.getElementById("forget");
  const hint = document.getElementById("hint");
  const root = ReactDOM.createRoot(document.getElementById("explorer"));

  let client = null;
  let token = null;
  let expiry = 0;

  /** Says something in the bar: strings, and `{ code }` for what is to be typed. */
  function say(state, ...parts) {
    hint.dataset.state = state;
    hint.replaceChildren(...parts.flat().map((part) => {
      if (typeof part === "string") return part;
      const code = document.createElement("code");
      code.textContent = part.code;
      return code;
    }));
  }

  /** An error that GraphiQL shows as its message alone. */
  function plain(message) {
    const error = new Error(message);
    error.stack = undefined;
    return error;
  }

  function refused(of) {
    if (of !== token) return;
    const { exp } = claims(of);
    say("bad", exp * 1000 <= Date.now() ? "This token has expired. " : "The service refused this token. ", HOW);
  }

  /** What a JWT says of itself; nothing of it is trusted, it is only shown. */
  function claims(of) {
    try {
      const part = of.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
      return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
    } catch {
      return {};
    }
  }

  /** The stream as it was, but a closed connection is told in words. */
  function spoken(stream, of) {
    const told = (error) => {
      if (typeof error?.code !== "number") throw error;
      if (error.code === 4401 || error.code === 4403) refused(of);
      throw plain(`The stream ended: ${error.code} ${error.reason || "connection closed"}`);
    };
    return {
      [Symbol.asyncIterator]() { return this; },
      next: () => stream.next().catch(told),
      return: (value) => stream.return(value),
      throw: (error) => stream.throw(error),
    };
  }

  /** The operations of a document: the kind and the name of each. */
  function operationsOf(query) {
    const token = /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|[{}()[\]]|[$@]?[_A-Za-z]\w*/g;
    const operations = [];
    let depth = 0;
    let keyword = null; // of the definition that we are in
    let name = null;
    for (const [text] of query.matchAll(token)) {
      if (depth === 0 && text === "{" && keyword !== "fragment") operations.push({ kind: keyword ?? "query", name });
      if (/^[{([]$/.test(text)) depth += 1;
      else if (/^[})\]]$/.test(text)) {
        depth -= 1;
        if (depth === 0 && text === "}") keyword = name = null;
      } else if (depth === 0 && /^\w/.test(text)) {
        if (keyword === null) keyword = text;
        else name ??= text;
      }
    }
    return operations;
  }

  /**
   * The operation that is to run. GraphiQL's own answers (`operationName`, `options.documentAST`) are those of the text
   * as it was a moment before, wrong for who pastes and runs at once; where there is only one, it is the one.
   */
  function chosen({ query, operationName }) {
    const operations = operationsOf(query);
    return operations.length === 1 ? operations[0] : operations.find(({ name }) => name === operationName);
  }

  /** A new one for each token: GraphiQL reads the schema again when its fetcher changes. */
  function fetcherFor(of) {
    const credential = of ? { Authorization: `Bearer ${of}` } : {};
    // What runs under the token before ends with it.
    client?.dispose();
    // Without retries: after one, a subscription without `after` would go on with a gap and not say so.
    client = graphqlWs.createClient({ url: socket.href, connectionParams: credential, retryAttempts: 0 });

    return async (asked) => {
      const operation = chosen(asked);
      const request = operation ? { ...asked, operationName: operation.name ?? undefined } : asked;
      if (operation?.kind === "subscription") return spoken(client.iterate(request), of);
      const response = await fetch(http, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...credential },
        body: JSON.stringify(request),
        credentials: "omit",
      }).catch(() => { throw plain("The service does not answer."); });
      if (response.status === 401 && of) refused(of);
      return response.json().catch(() => {
        throw plain(`The service answered ${response.status} ${response.statusText}`.trim());
      });
    };
  }

  function take(text) {
    const next = text.trim().replace(/^bearer\s+/i, "");
    if (next === token) return;
    // What no header can carry is no token; it is not kept either.
    const fits = /^[\x21-\x7e]*$/.test(next);
    token = fits ? next : "";
    clearTimeout(expiry);
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
    forget.hidden = next === "";

    const { sub, exp } = claims(token);
    const left = exp < 1e10 ? exp * 1000 - Date.now() : Infinity; // without a date that means something: no end
    if (!fits) say("bad", "This is not a token. ", HOW);
    else if (!token) say("none", "The schema and every query need a token. ", HOW);
    else if (left <= 0) refused(token);
    else {
      const who = typeof sub === "string" ? `Signed in as ${sub}` : "The token is kept in this tab only";
      const until = Number.isFinite(left) ? ` until ${new Date(exp * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}` : "";
      say("good", `${who}${until}.`);
      if (left < 2 ** 31) expiry = setTimeout(refused, left, token);
    }

    root.render(React.createElement(GraphiQL, {
      fetcher: fetcherFor(token),
      schema: token ? undefined : null, // null: there is no use in asking without a token
      schemaDescription: true,
      inputValueDeprecation: true,
      defaultQuery: QUERY,
      defaultEditorToolsVisibility: "variables",
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
      showPersistHeadersSettings: false,
    }));
  }

  let typing = 0;
  const settled = () => {
    clearTimeout(typing);
    take(field.value);
  };
  field.addEventListener("change", settled);
  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(settled, 400);
  });
  forget.addEventListener("click", () => {
    field.value = "";
    settled();
    field.focus();
  });

  field.value = sessionStorage.getItem(KEY) ?? "";
  settled();
})();
