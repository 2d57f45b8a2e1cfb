/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query Serving($customerId: ID!) { revision agents(customerId: $customerId, first: 100) {\n  nodes { name servings { environment { key } activeVersion { number modelName } } } } }": typeof types.ServingDocument,
    "subscription Moved($customerId: ID!, $after: Cursor) {\n  customerEvents(customerId: $customerId, after: $after) { action agent { name } environmentKey } }": typeof types.MovedDocument,
};
const documents: Documents = {
    "query Serving($customerId: ID!) { revision agents(customerId: $customerId, first: 100) {\n  nodes { name servings { environment { key } activeVersion { number modelName } } } } }": types.ServingDocument,
    "subscription Moved($customerId: ID!, $after: Cursor) {\n  customerEvents(customerId: $customerId, after: $after) { action agent { name } environmentKey } }": types.MovedDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Serving($customerId: ID!) { revision agents(customerId: $customerId, first: 100) {\n  nodes { name servings { environment { key } activeVersion { number modelName } } } } }"): typeof import('./graphql').ServingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription Moved($customerId: ID!, $after: Cursor) {\n  customerEvents(customerId: $customerId, after: $after) { action agent { name } environmentKey } }"): typeof import('./graphql').MovedDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
