// Fragments (section 5.5).

import { Kind, isAbstractType } from "graphql";
import * as n from "../nodes.mjs";

/** As in operations.mjs. */
export const FRAGMENTS = [
  ["5.5.1.1", "two fragments of one name", (r) => {
    const fragments = r.document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
    return fragments.length > 0 && r.document.definitions.push(n.clone(r.random.pick(fragments)));
  }],
  ["5.5.1.2", "a fragment on an unknown type", (r) => {
    const at = r.some("sets", ({ isRoot }) => !isRoot);
    if (!at) return false;
    if (r.random.chance(0.5)) return at.node.selections.push(n.inline("Nowhere", [n.field("id")]));
    r.document.definitions.push(n.fragment("FNowhere", "Nowhere", [n.field("id")]));
    return at.node.selections.push(n.spread("FNowhere"));
  }],
  ["5.5.1.2", "a variable of an unknown type", (r) => {
    const at = r.someLiteral();
    if (!at) return false;
    const name = r.replace(at, at.type);
    r.operation.variableDefinitions.find(({ variable }) => variable.name.value === name).type = n.named("Nowhere");
    return true;
  }],
  ["5.5.1.3", "a fragment on a type without fields", (r) => {
    const at = r.some("sets", ({ isRoot }) => !isRoot);
    const type = r.random.pick(["String", "Role", "DateTime", "CreateAgentInput", "ID"]);
    if (!at) return false;
    if (r.random.chance(0.5)) return at.node.selections.push(n.inline(type, [n.field("id")]));
    r.document.definitions.push(n.fragment("FLeaf", type, [n.field("id")]));
    return at.node.selections.push(n.spread("FLeaf"));
  }],
  ["5.5.1.4", "a fragment that is not used", (r) => r.document.definitions.push(n.fragment("FUnused", r.random.pick(["Agent", "Query", "Node"]), [n.field("__typename")]))],
  ["5.5.1.4", "a fragment that only an unused one uses", (r) => r.document.definitions.push(n.fragment("FUnused", "Agent", [n.spread("FBelow")]), n.fragment("FBelow", "Agent", [n.field("id")]))],
  ["5.5.2.1", "a fragment that is not there", (r) => {
    const at = r.some("sets");
    return at && at.node.selections.push(n.spread("FNowhere"));
  }],
  ["5.5.2.2", "a fragment that spreads itself", (r) => {
    const at = r.some("sets", ({ isRoot, type }) => !isRoot && type);
    if (!at) return false;
    const [one, two] = [r.fresh("F"), r.fresh("F")];
    const isLong = r.random.chance(0.6);
    r.document.definitions.push(n.fragment(one, at.type.name, [n.field("__typename"), n.spread(isLong ? two : one)]));
    if (isLong) r.document.definitions.push(n.fragment(two, at.type.name, [n.inline(undefined, [n.spread(one)])]));
    return at.node.selections.push(n.spread(one));
  }],
  ["5.5.2.2", "a fragment that spreads itself below a field", (r) => {
    const at = r.some("sets", ({ type }) => type?.name === "Agent");
    if (!at) return false;
    r.document.definitions.push(n.fragment("FDeep", "Agent", [n.field("customer", { alias: "deep", selections: [n.field("agents", { selections: [n.field("nodes", { selections: [n.spread("FDeep")] })] })] })]));
    return at.node.selections.push(n.spread("FDeep"));
  }],
  ["5.5.2.3", "a fragment on a type that this can't be", (r) => {
    const at = r.some("sets", ({ type, isRoot }) => type && !isRoot);
    if (!at) return false;
    const apart = ["Agent", "PageInfo", "Quota", "Viewer", "Node", "User", "Tool", "Query"].map((of) => r.schema.getType(of)).filter((of) => {
      const possible = (type) => (isAbstractType(type) ? r.schema.getPossibleTypes(type) : [type]);
      return !possible(of).some((type) => possible(at.type).includes(type));
    });
    const type = r.random.pick(apart);
    if (r.random.chance(0.5)) return at.node.selections.push(n.inline(type.name, [n.field("__typename")]));
    r.document.definitions.push(n.fragment("FApart", type.name, [n.field("__typename")]));
    return at.node.selections.push(n.spread("FApart"));
  }],
];
