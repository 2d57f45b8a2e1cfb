import{Ct as e,St as t,T as n,bt as r,c as i,g as a,gt as o,h as s,l as c,ot as l,p as u}from"./index-DzJfRzCG.js";import{a as d,n as f,t as p}from"./jsx-runtime-Wy9s6hX0.js";import{t as m}from"./submit-pM3givc8.js";import{n as h,t as g}from"./Button-Bp8saloI.js";import{c as _,n as v}from"./states-QG-zepEj.js";import{t as y}from"./Icon-C5s-Mh-Q.js";import{n as b}from"./marks-IWYpV-ID.js";import{t as x}from"./Outcome-Bmg9Br5x.js";import{t as S}from"./Secret-BrraKMqk.js";import{t as C}from"./Tabs-DsKK5oYD.js";var w=d(f(),1),T=`query Connect($customer:ID!){customer(id:$customer){id agents(first:100 filter:{archived:false}){totalCount nodes{id name}}}}`,E=`mutation MakeGatewayKey($input:CreateApiKeyInput!){createApiKey(input:$input){apiKey{id name}secret revision userErrors{code message path}}}`,D=`query Reports($customer:ID!$environment:String!$isOperator:Boolean!){customer(id:$customer){id environments{key convergence{revision gateways applied}}}agents(customerId:$customer environment:$environment filter:{serving:true archived:false}first:1){totalCount}gateways(environment:$environment first:100)@include(if:$isOperator){nodes{id name since actor{id displayName}}}}`,O={page:`_page_164u2_1`,section:`_section_164u2_8`,fields:`_fields_164u2_14`,agents:`_agents_164u2_21`,agent:`_agent_164u2_21`,code:`_code_164u2_49`,copy:`_copy_164u2_62`,waiting:`_waiting_164u2_76`},k=`REGISTRY_TOKEN`,A=e=>e.replace(/^http/,`ws`),j=e=>e.map(e=>JSON.stringify(e)).join(`, `),M=[{key:`sidecar`,label:`Sidecar`,words:`Keeps a file with all active configurations beside your program, and serves on when the registry is away. It speaks plain http: give it a proxy’s address where the registry has TLS.`,code:({origin:e,environment:t,customer:n,agents:r})=>[`umask 077; printf '%s\\n' "$${k}" > gateway.token`,`agent-registry watch --url ${e} --token-file gateway.token \\`,`  --customer ${n} --environment ${t} --state gateway.json${r.map(e=>` \\\n  --agent ${e}`).join(``)}`].join(`
`)},{key:`typescript`,label:`TypeScript`,words:`npm install graphql-ws@6 graphql@16 ws@8`,code:({origin:e,environment:t,customer:n,agents:r})=>`import { createClient } from "graphql-ws";
import WebSocket from "ws";

const client = createClient({
  url: "${A(e)}/graphql",
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: \`Bearer \${process.env.${k}}\` },
  retryAttempts: Infinity,
  shouldRetry: () => true,
});
const query = \`subscription ($customerId: ID, $agentIds: [ID!], $environment: String, $after: Cursor) {
  configs(customerId: $customerId, agentIds: $agentIds, environment: $environment, after: $after) {
    kind cursor agentId reason
    config { name versionId modelName systemPrompt modelParameters tools { name description inputSchema } }
  }
}\`;
const variables = { customerId: "${n}", environment: "${t}"${r.length>0?`, agentIds: [${j(r)}]`:``}, after: null };
const configs = new Map();
for await (const { data, errors } of client.iterate({ query, variables })) {
  if (errors) throw new Error(errors[0].message);
  const { kind, agentId, config, cursor } = data.configs;
  if (config) configs.set(agentId, config);
  if (kind === "REMOVE") configs.delete(agentId);
  if (cursor) variables.after = cursor;
}
`},{key:`python`,label:`Python`,words:`pip install "gql[websockets]"`,code:({origin:e,environment:t,customer:n,agents:r})=>`import asyncio, os
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

transport = WebsocketsTransport(
    url="${A(e)}/graphql",
    init_payload={"Authorization": f"Bearer {os.environ['${k}']}"},
    subprotocols=["graphql-transport-ws"],
)
query = gql("""
subscription ($customerId: ID, $agentIds: [ID!], $environment: String) {
  configs(customerId: $customerId, agentIds: $agentIds, environment: $environment) {
    kind agentId config { name systemPrompt modelName }
  }
}""")
query.variable_values = {"customerId": "${n}", "environment": "${t}"${r.length>0?`, "agentIds": [${j(r)}]`:``}}

async def main():
    async with Client(transport=transport) as session:
        async for result in session.subscribe(query):
            print(result["configs"])

asyncio.run(main())
`},{key:`rust`,label:`Rust`,words:`The crate registry-client of this repository: crates/registry-client.`,code:({origin:e,environment:t,customer:n})=>`use registry_client::Session;
use serde_json::json;

let token = std::env::var("${k}")?;
let session = Session::connect("${e}", &token).await?;
let mut configs = session.subscribe(
    "subscription ($customerId: ID, $environment: String) {
       configs(customerId: $customerId, environment: $environment) { kind cursor agentId config { name systemPrompt } }
     }",
    json!({ "customerId": "${n}", "environment": "${t}" }),
)?;
while let Some(event) = configs.next().await {
    println!("{}", event?.data);
}
`},{key:`curl`,label:`curl`,words:`One configuration at a time, with an ETag: for a program that serves few agents.`,code:({origin:e,environment:t,agents:n})=>`curl -i "${e}/internal/agents/${n[0]??`AGENT_ID`}/active?environment=${t}" \\
  -H "Authorization: Bearer $${k}"
`}],N=p();function P(){let r=s(),{environment:a}=e({from:`/frame/c/$customer/connect`}),d=t(),f=r.environments.find(({key:e})=>e===a)?.key??r.environments.find(({isDefault:e})=>e)?.key??`production`,[p,m]=(0,w.useState)([]),[h,g]=(0,w.useState)(`sidecar`),y=o(T,{customer:r.id},{topics:[l.agents(r.id)]}),b={origin:location.origin,environment:f,customer:r.id,agents:p},x=e=>m(t=>t.includes(e)?t.filter(t=>t!==e):[...t,e]);return(0,N.jsx)(u,{title:`Connect a gateway`,children:(0,N.jsxs)(`div`,{className:O.page,children:[(0,N.jsxs)(`section`,{className:O.section,"aria-labelledby":`what`,children:[(0,N.jsx)(`h2`,{id:`what`,children:`1. What it serves`}),(0,N.jsx)(`div`,{className:O.fields,children:(0,N.jsx)(i,{label:`What the gateway serves`,onSubmit:()=>void 0,children:(0,N.jsx)(c,{name:`environment`,label:`Environment`,value:f,onChange:({target:e})=>void d({to:`/c/$customer/connect`,params:{customer:r.id},search:{environment:e.value},replace:!0}),children:r.environments.map(({key:e,name:t})=>(0,N.jsx)(`option`,{value:e,children:e===t.toLowerCase()?e:`${e} (${t})`},e))})})}),(0,N.jsx)(v,{query:y,what:`agents`,children:({customer:e})=>{let t=e?.agents;return!t||t.totalCount===0?(0,N.jsx)(`p`,{className:`muted`,children:`There is no agent yet. The gateway receives each as soon as a version of it is activated.`}):(0,N.jsxs)(`fieldset`,{className:O.section,children:[(0,N.jsx)(`legend`,{className:`unseen`,children:`Agents`}),(0,N.jsxs)(`div`,{className:O.agents,children:[(0,N.jsxs)(`label`,{children:[(0,N.jsx)(`input`,{type:`checkbox`,checked:p.length===0,onChange:()=>m([])}),(0,N.jsxs)(`b`,{children:[`All `,n(t.totalCount,`agent`),`, and later ones`]})]}),t.nodes.map(({id:e,name:t})=>(0,N.jsxs)(`label`,{children:[(0,N.jsx)(`input`,{type:`checkbox`,checked:p.includes(e),onChange:()=>x(e)}),t]},e))]})]})}})]}),(0,N.jsx)(F,{environment:f}),(0,N.jsxs)(`section`,{className:O.section,"aria-labelledby":`run`,children:[(0,N.jsx)(`h2`,{id:`run`,children:`3. What to run`}),(0,N.jsx)(C,{label:`Ways to connect`,value:h,onChange:g,tabs:M.map(({key:e,label:t,words:n,code:r})=>({key:e,label:t,content:(0,N.jsxs)(`div`,{className:O.code,children:[(0,N.jsxs)(`div`,{className:O.copy,children:[(0,N.jsx)(`span`,{children:n}),(0,N.jsx)(_,{text:r(b),what:t,label:`Copy`,quiet:!0})]}),(0,N.jsx)(`pre`,{tabIndex:0,"aria-label":`What to run: ${t}`,children:r(b)})]})}))})]}),(0,N.jsx)(I,{environment:f})]})})}function F({environment:e}){let t=s(),n=m(E,e=>e.createApiKey,[l.keys(t.id)]),[r,i]=(0,w.useState)(null),a=`gateway ${e}`,o=async()=>{let r=await n.submit({customerId:t.id,name:a,scopes:[`CONFIGS_READ`,`ACTIVATIONS_WATCH`],environments:[e]});r&&i({secret:r.secret??null})};return(0,N.jsxs)(`section`,{className:O.section,"aria-labelledby":`key`,children:[(0,N.jsx)(`h2`,{id:`key`,children:`2. Its key`}),(0,N.jsxs)(`p`,{className:`muted`,children:[`It reads configurations of `,e,` at `,t.name,`, and nothing else.`]}),(0,N.jsx)(x,{state:n,what:`the key was made`}),(0,N.jsx)(`div`,{children:(0,N.jsxs)(g,{kind:`filled`,icon:`key`,busy:n.isBusy,reason:t.why(`MANAGE_KEYS`),onClick:()=>void o(),children:[`Make a key for `,e]})}),r&&(0,N.jsx)(S,{title:`The key “${a}”`,secret:r.secret,onClose:()=>i(null),children:(0,N.jsxs)(`p`,{className:`muted`,children:[`Put it into the environment variable `,(0,N.jsx)(`code`,{children:`REGISTRY_TOKEN`}),` where the gateway runs. The Keys page rotates and revokes it.`]})})]})}function I({environment:e}){let t=s(),{isOperator:i}=a(),c=o(D,{customer:t.id,environment:e,isOperator:i},{every:3e3,keep:!0,topics:[l.agents(t.id)]}),u=c.data?.customer?.environments.find(({key:t})=>t===e)?.convergence?.gateways??0,d=c.data?.agents.totalCount??0,f=[...c.data?.gateways?.nodes??[]].sort((e,t)=>e.since<t.since?1:-1)[0],p=f?.name??n(u,`gateway`);return(0,N.jsxs)(`section`,{className:O.section,"aria-labelledby":`report`,children:[(0,N.jsx)(`h2`,{id:`report`,children:`4. Its first report`}),(0,N.jsx)(`div`,{className:O.waiting,"data-there":u>0?``:void 0,role:`status`,children:u===0?(0,N.jsxs)(`span`,{children:[`Waiting for the first report from `,e,`…`]}):(0,N.jsxs)(N.Fragment,{children:[(0,N.jsx)(y,{name:`check`}),(0,N.jsxs)(`span`,{children:[p,` `,f||u===1?`serves`:`serve`,` `,n(d,`agent`),` in`]}),(0,N.jsx)(b,{environment:{key:e}}),(0,N.jsx)(r,{className:h(`plain`,!0),to:`/c/$customer/agents`,params:{customer:t.id},children:`Activate another version and watch it arrive`})]})})]})}export{P as default};