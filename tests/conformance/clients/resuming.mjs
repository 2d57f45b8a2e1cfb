// Subscriptions that go on where they were.

/**
 * A graphql-ws client as it was, but each subscription remembers the `cursor` of its last event and passes it as `after`
 * when graphql-ws connects again. So no event is missed and none comes twice, whichever client is above it. Ask for
 * `cursor`, declare `$after: Cursor`, and give a first `after`, such as the revision of what was read before.
 */
export function resuming(client) {
  return {
    ...client,
    subscribe(payload, sink) {
      // graphql-ws writes this very object at each connection.
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
