// The WebSocket below each client, which the scenario can cut.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { resuming } from "./resuming.mjs";

/** A graphql-ws client that always reconnects. `cut` ends its connection, `mend` lets it reconnect. */
export function lineTo(url, token) {
  let socket;
  let mended = Promise.resolve();
  const line = { connections: 0, mend: () => {} };
  const client = createClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: () => mended,
    on: {
      connected(opened) {
        socket = opened;
        line.connections += 1;
      },
    },
  });
  line.client = resuming(client);
  line.cut = () => {
    mended = new Promise((resolve) => (line.mend = resolve));
    socket.terminate();
  };
  return line;
}
