// Lists the events of a subscription below the editors: GraphiQL's result shows the last one alone.
//
// The list holds the newest events, bounded by count and by text, in the page's memory only.

const eventList = (() => {
  "use strict";

  const COUNT_MAX = 200;
  const CHARS_MAX = 4_000_000;
  const SUMMARY_CHARS = 200;

  const section = document.getElementById("events");
  const title = document.getElementById("events-title");
  const state = document.getElementById("events-state");
  const list = document.getElementById("events-list");

  // Which subscription is shown: an older one, which ends late, writes nothing.
  let shown = 0;
  let count = 0;
  let chars = 0;

  const words = (number) => `${number} ${number === 1 ? "event" : "events"}`;

  function clear() {
    list.replaceChildren();
    count = chars = 0;
  }

  /** Drops the oldest events until the rest is within the bounds. */
  function trim() {
    while (list.childElementCount > COUNT_MAX || (chars > CHARS_MAX && list.childElementCount > 1)) {
      chars -= Number(list.lastElementChild.dataset.chars);
      list.lastElementChild.remove();
    }
  }

  function item(value) {
    const text = JSON.stringify(value, null, 2);
    const time = document.createElement("time");
    const now = new Date();
    time.dateTime = now.toISOString();
    time.textContent = now.toLocaleTimeString([], { hour12: false, fractionalSecondDigits: 3 });
    const summary = document.createElement("summary");
    summary.append(time, JSON.stringify(value.errors ?? value.data ?? value).slice(0, SUMMARY_CHARS));
    const whole = document.createElement("pre");
    const details = document.createElement("details");
    details.append(summary, whole);
    // A prompt can be large: its text is laid out when somebody looks at it.
    details.addEventListener("toggle", () => { whole.textContent = details.open ? text : ""; });
    const entry = document.createElement("li");
    entry.value = count;
    entry.dataset.chars = String(text.length);
    entry.append(details);
    chars += text.length;
    return entry;
  }

  document.getElementById("events-clear").addEventListener("click", () => {
    clear();
    state.textContent = words(0);
  });
  document.getElementById("events-close").addEventListener("click", () => { section.hidden = true; });

  return {
    /** Shows an empty list for a new subscription, and returns what fills it. */
    begin(name) {
      const mine = ++shown;
      let ended = false;
      clear();
      title.textContent = `Events of ${name}`;
      state.textContent = "Waiting for the first event";
      section.hidden = false;
      return {
        add(value) {
          if (mine !== shown) return;
          count += 1;
          list.prepend(item(value));
          trim();
          state.textContent = words(count);
        },
        /** Says why the subscription ended; the first reason counts. */
        end(reason) {
          if (mine !== shown || ended) return;
          ended = true;
          state.textContent = `${words(count)} · ended: ${reason}`;
        },
      };
    },
  };
})();
