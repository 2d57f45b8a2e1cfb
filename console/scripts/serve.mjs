// Serves the built files on loopback as the service does, under the same policy, and forwards the API. For tests with
// a token, which is added to what is forwarded and is seen by no page.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { request as requestTls } from "node:https";
import path from "node:path";

/** The service's policy for the console. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8", ".json": "application/json" };
const FORWARDED = /^\/(graphql$|graphql\?|auth\/|console\/(download|upload)|graphiql)/;

/** Starts the server; returns its address and the function that ends it. */
export function serve(folder, service, token) {
  const target = new URL(service);
  const headersOf = (incoming) => {
    const headers = { ...incoming.headers, host: target.host };
    if (headers.origin) headers.origin = target.origin;
    if (token) headers.authorization = `Bearer ${token}`;
    return headers;
  };
  const send = target.protocol === "https:" ? requestTls : request;
  const forward = (incoming) => send({ host: target.hostname, port: target.port, path: incoming.url, method: incoming.method, headers: headersOf(incoming) });
  const server = createServer((incoming, response) => {
    if (FORWARDED.test(incoming.url)) {
      const onward = forward(incoming);
      onward.on("response", (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.writeHead(502).end());
      incoming.pipe(onward);
      return;
    }
    const { pathname } = new URL(incoming.url, "http://localhost");
    const wanted = path.join(folder, path.normalize(pathname.replace(/^\/console\//, "/")));
    const isFile = pathname.startsWith("/console/") && wanted.startsWith(folder) && existsSync(wanted) && statSync(wanted).isFile();
    const file = isFile ? wanted : path.join(folder, "index.html");
    response.writeHead(200, {
      "content-type": TYPES[path.extname(file)] ?? "application/octet-stream",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    createReadStream(file).pipe(response);
  });
  server.on("upgrade", (incoming, socket, head) => {
    const onward = forward(incoming);
    onward.on("upgrade", (answer, far, farHead) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      if (farHead.length > 0) socket.write(farHead);
      if (head.length > 0) far.write(head);
      socket.on("error", () => far.destroy());
      far.on("error", () => socket.destroy());
      far.pipe(socket).pipe(far);
    });
    onward.on("response", () => socket.destroy());
    onward.on("error", () => socket.destroy());
    onward.end();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const close = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}
