// Starts GraphiQL on this service's own /graphql. Without a token, it uses the browser's session of the console, if there is
// one: the browser adds its cookie, which no script can read.
//
// The token is stored in this tab's sessionStorage only: not in localStorage, where GraphiQL stores queries and tabs,
// not in GraphiQL's history, not in a URL. The header editor is off for the same reason: GraphiQL writes its text into
// the history.

(() => {
  "use strict";

  const KEY = "agent-registry.token";
  const COMMAND = "agent-registry token user --subject me --operator";
  const HOW = ["Create one with ", { code: COMMAND }, " and paste its last line here."];

  const QUERY = `# Ctrl-Enter runs this query.
query WhoAmI {
  viewer { kind name isOperator }
}

# Customers, their agents, and the active version of each:
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

# Activations, as they happen:
#
# subscription {
#   activations {
#     agent { name } version { number } reason
#   }
# }
`;

  const ENVIRONMENTS = `# What each agent serves in each environment of its customer, and where a rollback would lead.
query Environments {
  customers(first: 5) {
    nodes {
      name
      environments { key name onBreaking activateRole }
      agents(first: 5) {
        nodes {
          id name
          servings { environment { key } activeVersion { id number } rollbackTarget { number } }
        }
      }
    }
  }
}
`;

  const PLAN = `# What the activation of a version would change, and what the rules of the environment say to it. Stores nothing.
query Plan($agentId: ID!, $versionId: ID!, $environment: String) {
  activationPlan(agentId: $agentId, versionId: $versionId, environment: $environment) {
    previousVersion { number }
    version { number }
    impact decision mustConfirm
    findings { impact path message }
    policy { rule effect message }
    planHash
  }
}
`;

  const PLAN_VARIABLES = `{
  "agentId": "",
  "versionId": "",
  "environment": "production"
}`;

  const PROMOTE = `# Activates in one environment what is active in another, if both are as you expect. Fill in the variables below.
mutation Promote($input: PromoteVersionInput!) {
  promoteVersion(input: $input) {
    serving { environment { key } activeVersion { number } }
    userErrors { code field message }
  }
}
`;

  const PROMOTE_VARIABLES = `{
  "input": {
    "agentId": "",
    "fromEnvironment": "staging",
    "toEnvironment": "production",
    "expectedFromVersionId": "",
    "expectedToVersionId": null
  }
}`;

  // The tabs of a browser that has none stored.
  const TABS = [
    { query: QUERY },
    { query: ENVIRONMENTS },
    { query: PLAN, variables: PLAN_VARIABLES },
    { query: PROMOTE, variables: PROMOTE_VARIABLES },
  ];

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
  let person = null; // the name of the user whom the browser's session stands for

  /** Shows a message in the bar: strings, and `{ code }` for commands. */
  function say(state, ...parts) {
    hint.dataset.state = state;
    hint.replaceChildren(...parts.flat().map((part) => {
      if (typeof part === "string") return part;
      const code = document.createElement("code");
      code.textContent = part.code;
      return code;
    }));
  }

  /** Creates an error without a stack, so that GraphiQL shows the message only. */
  function plain(message) {
    const error = new Error(message);
    error.stack = undefined;
    return error;
  }

  /** Asks whom the browser's session stands for. Null without a session. */
  async function readSession() {
    const response = await fetch(new URL("auth/session", document.baseURI)).catch(() => null);
    const answer = response?.ok ? await response.json().catch(() => null) : null;
    return answer?.name ?? null;
  }

  /** Shows that the service has rejected a token, unless another one has replaced it meanwhile. */
  function refused(of) {
    if (of !== token) return;
    const { exp } = claims(of);
    say("bad", exp * 1000 <= Date.now() ? "This token has expired. " : "The service refused this token. ", HOW);
  }

  /** Decodes a JWT's claims without verifying them. They are for display only. */
  function claims(of) {
    try {
      const part = of.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
      return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
    } catch {
      return {};
    }
  }

  /**
   * Wraps a stream so that it lists its events below the editors, and reports a closed connection as an error with a
   * readable message.
   */
  function spoken(stream, of, name) {
    const list = eventList.begin(name ?? "subscription");
    const told = (error) => {
      list.end(error?.reason || error?.message || "connection closed");
      if (typeof error?.code !== "number") throw error;
      if (error.code === 4401 || error.code === 4403) refused(of);
      throw plain(`The stream ended: ${error.code} ${error.reason || "connection closed"}`);
    };
    const shown = (step) => {
      if (step.done) list.end("complete");
      else list.add(step.value);
      return step;
    };
    return {
      [Symbol.asyncIterator]() { return this; },
      next: () => stream.next().then(shown, told),
      return: (value) => {
        list.end("stopped");
        return stream.return(value);
      },
      throw: (error) => stream.throw(error),
    };
  }

  /** Lists the operations of a document, with the kind and the name of each. */
  function operationsOf(query) {
    const token = /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|[{}()[\]]|[$@]?[_A-Za-z]\w*/g;
    const operations = [];
    let depth = 0;
    let keyword = null; // the keyword of the current definition
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
   * Chooses the operation to run. GraphiQL's own values (`operationName`, `options.documentAST`) lag behind the text, so
   * they are wrong when a user pastes a document and runs it at once. A document's only operation is always the right one.
   */
  function chosen({ query, operationName }) {
    const operations = operationsOf(query);
    return operations.length === 1 ? operations[0] : operations.find(({ name }) => name === operationName);
  }

  /** Creates a fetcher for a token. GraphiQL reads the schema again when its fetcher changes. */
  function fetcherFor(of) {
    const credential = of ? { Authorization: `Bearer ${of}` } : {};
    // Ends the subscriptions of the previous token.
    client?.dispose();
    // No retries: after a reconnect, a subscription without `after` would silently continue with a gap.
    client = graphqlWs.createClient({ url: socket.href, connectionParams: credential, retryAttempts: 0 });

    return async (asked) => {
      const operation = chosen(asked);
      const request = operation ? { ...asked, operationName: operation.name ?? undefined } : asked;
      if (operation?.kind === "subscription") return spoken(client.iterate(request), of, operation.name);
      const response = await fetch(http, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...credential },
        body: JSON.stringify(request),
        credentials: of ? "omit" : "same-origin",
      }).catch(() => { throw plain("The service doesn't respond."); });
      if (response.status === 401 && of) refused(of);
      return response.json().catch(() => {
        throw plain(`The service responded with ${response.status} ${response.statusText}`.trim());
      });
    };
  }

  /** Takes a token from the field: stores it, shows its state, and renders GraphiQL with it. */
  function take(text) {
    const next = text.trim().replace(/^bearer\s+/i, "");
    if (next === token) return;
    // A token must fit into a header. Anything else isn't stored.
    const fits = /^[\x21-\x7e]*$/.test(next);
    token = fits ? next : "";
    clearTimeout(expiry);
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
    forget.hidden = next === "";

    const { sub, exp } = claims(token);
    const left = exp < 1e10 ? exp * 1000 - Date.now() : Infinity; // without a plausible expiry: none
    if (!fits) say("bad", "This is not a token. ", HOW);
    else if (!token && person !== null) say("good", `Signed in to the console as ${person}.`);
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
      schema: token || person !== null ? undefined : null, // null: without a credential, the schema can't be read
      schemaDescription: true,
      inputValueDeprecation: true,
      defaultQuery: QUERY,
      defaultTabs: TABS,
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
  readSession().then((name) => {
    person = name;
    if (name === null || token) return;
    token = null; // renders again, now that the schema can be read
    settled();
  });
})();
