import { createClient } from "graphql-ws";
// .book/gql/graphql.ts
var TypedDocumentString = class extends String {
	__apiType;
	value;
	__meta__;
	constructor(value, __meta__) {
		super(value);
		this.value = value;
		this.__meta__ = __meta__;
	}
	toString() {
		return this.value;
	}
};
// .book/gql/gql.ts
var documents = {
	"query Serving($customerId: ID!) { revision agents(customerId: $customerId, first: 100) {\n  nodes { name servings { environment { key } activeVersion { number modelName } } } } }": new TypedDocumentString(`
    query Serving($customerId: ID!) {
  revision
  agents(customerId: $customerId, first: 100) {
    nodes {
      name
      servings {
        environment {
          key
        }
        activeVersion {
          number
          modelName
        }
      }
    }
  }
}
    `),
	"subscription Moved($customerId: ID!, $after: Cursor) {\n  customerEvents(customerId: $customerId, after: $after) { action agent { name } environmentKey } }": new TypedDocumentString(`
    subscription Moved($customerId: ID!, $after: Cursor) {
  customerEvents(customerId: $customerId, after: $after) {
    action
    agent {
      name
    }
    environmentKey
  }
}
    `)
};
function graphql(source) {
	return documents[source] ?? {};
}
// .book/dashboard.ts
var [url = "", token = "", customerId = ""] = process.argv.slice(2);
var Authorization = `Bearer ${token}`;
var Serving = graphql(`query Serving($customerId: ID!) { revision agents(customerId: $customerId, first: 100) {
  nodes { name servings { environment { key } activeVersion { number modelName } } } } }`);
var Moved = graphql(`subscription Moved($customerId: ID!, $after: Cursor) {
  customerEvents(customerId: $customerId, after: $after) { action agent { name } environmentKey } }`);
async function run(document, variables) {
	const body = JSON.stringify({
		query: document,
		variables
	});
	const { data, errors } = await (await fetch(url, {
		method: "POST",
		headers: {
			"Content-Type": "application/json",
			Authorization
		},
		body
	})).json();
	if (errors) throw new Error(errors.map(({ message }) => message).join("; "));
	return data;
}
async function show() {
	const { agents, revision } = await run(Serving, { customerId });
	for (const { name, servings } of agents.nodes) console.log(name, ...servings.map((at) => `${at.environment.key}: ${at.activeVersion?.number ?? "nothing"}`));
	return revision;
}
var client = createClient({
	url: url.replace("http", "ws"),
	connectionParams: { Authorization }
});
var request = {
	query: Moved.toString(),
	variables: {
		customerId,
		after: await show()
	}
};
for await (const event of client.iterate(request)) {
	console.log(JSON.stringify(event.data));
	await show();
}
export {};
