// A real OpenID Connect provider (npm `oidc-provider`) for tests/api/issuer/provider.rs: on a free port of this
// machine, with clients for the authorization code flow and for client credentials. It prints its issuer, then reads
// lines and answers each with one line of JSON: `login NAME` signs a person in by the code flow, over HTTP, and prints
// the tokens; `visit NAME ADDRESS` opens the registry's authentication request as a browser in which this person signs
// in, and prints the address of the callback; the person `nobody` denies it. `open ADDRESS` prints the status of a page.
// `machine` prints the token of client credentials; `rotate` replaces the signing key by a new one, of another algorithm.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

// The provider's notices; standard output is for answers.
console.info = console.error;

const AUDIENCE = 'https://registry.invalid';
// Codes and sessions outlive a rotation of the keys.
const adapter = createMemoryAdapter();
const CALLBACK = 'http://localhost/callback';
// The registry's public URL in tests. Nothing listens there: its callback is opened by the test itself.
const REGISTRY = 'http://localhost:8080';

/** A client for the registry's own sign-in. */
function registry(id, authentication, alg) {
  return {
    client_id: id,
    ...authentication,
    grant_types: ['authorization_code'],
    redirect_uris: [`${REGISTRY}/auth/callback`],
    post_logout_redirect_uris: [`${REGISTRY}/`],
    response_types: ['code'],
    id_token_signed_response_alg: alg,
  };
}

async function signingKey(alg, kid) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: 'sig' };
}

function configuration(keys, alg) {
  return {
    adapter,
    jwks: { keys },
    clients: [
      {
        client_id: 'machine',
        client_secret: 'machine-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'console',
        client_secret: 'console-secret',
        grant_types: ['authorization_code'],
        redirect_uris: [CALLBACK],
        response_types: ['code'],
        id_token_signed_response_alg: alg,
      },
      registry('registry', { client_secret: 'a secret: with +/=%' }, alg),
      registry('public', { token_endpoint_auth_method: 'none' }, alg),
    ],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
    conformIdTokenClaims: false,
    async findAccount(_context, id) {
      const claims = {
        sub: id, name: `${id} of the provider`, email: `${id}@city.example`, email_verified: true, groups: ['staff'],
      };
      return { accountId: id, claims: async () => claims };
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => AUDIENCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: 'registry', audience: AUDIENCE, accessTokenFormat: 'jwt', jwt: { sign: { alg } },
        }),
      },
    },
    pkce: { required: () => false },
    extraTokenClaims: async (_context, token) => (
      token.accountId ? { groups: ['staff'], name: `${token.accountId} of the provider` } : { groups: ['machines'] }
    ),
    // The login hint names the person who is signed in and grants everything.
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}` },
    cookies: { keys: ['a test'] },
  };
}

let provider;
const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (!url.pathname.startsWith('/sign-in/')) {
    provider.callback()(request, response);
    return;
  }
  const { params, session } = await provider.interactionDetails(request, response);
  const accountId = session?.accountId ?? params.login_hint;
  if (accountId === 'nobody') {
    const denial = { error: 'access_denied', error_description: 'not today' };
    await provider.interactionFinished(request, response, denial);
    return;
  }
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addResourceScope(AUDIENCE, 'registry');
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { login: { accountId }, consent });
});

let generation = 0;
async function start(issuer) {
  generation += 1;
  const alg = generation === 1 ? 'RS256' : 'ES256';
  const keys = [await signingKey(alg, `key-${generation}`)];
  provider = new Provider(issuer, configuration(keys, alg));
  return keys.map((key) => key.kid);
}

/** Asks for tokens as a client with a secret. */
async function token(issuer, client, parameters) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}` },
    body: new URLSearchParams(parameters),
  });
  return response.json();
}

/** Follows redirects as a browser does, up to the first address that begins with `callback`. */
async function browse(address, callback) {
  const cookies = new Map();
  let url = address;
  while (!url.startsWith(callback)) {
    const cookie = [...cookies].map(([key, value]) => `${key}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(key, value);
    }
    const location = response.headers.get('location');
    if (!location) return `${response.status} ${await response.text()}`;
    url = new URL(location, url).href;
  }
  return url;
}

/** Signs a person in by the authorization code flow, and exchanges the code. */
async function login(issuer, name) {
  const parameters = new URLSearchParams({
    client_id: 'console', response_type: 'code', redirect_uri: CALLBACK, scope: 'openid profile email registry',
    login_hint: name, state: 'state',
  });
  const url = await browse(`${issuer}/auth?${parameters}`, CALLBACK);
  const code = URL.canParse(url) && new URL(url).searchParams.get('code');
  if (!code) return { url };
  return token(issuer, 'console', { grant_type: 'authorization_code', code, redirect_uri: CALLBACK });
}

server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  await start(issuer);
  console.log(issuer);
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, name, address] = line.split(' ');
    let answer = null;
    if (word === 'rotate') answer = await start(issuer);
    if (word === 'machine') answer = await token(issuer, 'machine', { grant_type: 'client_credentials', scope: 'registry' });
    if (word === 'visit') answer = await browse(`${address}&login_hint=${name}`, `${REGISTRY}/auth/callback`);
    if (word === 'open') answer = (await fetch(name)).status;
    if (word === 'login') answer = await login(issuer, name);
    console.log(JSON.stringify(answer));
  }
  process.exit(0);
});
