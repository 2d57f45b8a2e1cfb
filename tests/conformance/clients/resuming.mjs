// Subscriptions that resume at their cursor.

/**
 * Wraps a graphql-ws client: each subscription stores the `cursor` of its last event and sends it as `after` when
 * graphql-ws reconnects. So no event is missed or repeated, whatever client library is on top. Select `cursor`,
 * declare `$after: Cursor`, and give a first `after`, such as the revision of the last read.
 */
export function resuming(client) {
  return {
    ...client,
    subscribe(payload, sink) {
      // graphql-ws serialises this object again at each connection.
      const variables = { ...payload.variables };
      return client.subscribe({ ...payload, variables }, {
        ...sink,
        next(result) {
          const [event] = Object.values(result.data ?? {});
          if (event?.cursor) variables.after = event.cursor;
          sink.next(result);
        },
      });
    },
  };
}
