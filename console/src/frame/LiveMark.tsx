import { useSyncExternalStore } from "react";
import { live } from "~/api/live";
import { clock, relative } from "~/time";
import { useNow } from "~/ui/Time";
import { Icon } from "~/ui/Icon";
import { Tooltip } from "~/ui/Tooltip";
import styles from "./Frame.module.css";

/** "Live ●": the socket, when it last showed life, and the newest commit. */
export function LiveMark() {
  const state = useSyncExternalStore(live.subscribe, live.state);
  const now = useNow();
  const words = { live: "Live", connecting: "Connecting", down: "Not live" }[state.status];
  const details = [
    state.heardAt ? `Heard ${relative(state.heardAt, Math.max(now, state.heardAt))}` : "Nothing heard yet",
    state.revision ? `revision ${state.revision}` : null,
  ];
  return (
    <Tooltip text={details.filter(Boolean).join(" · ")}>
      <button type="button" className={styles["live"]} data-status={state.status}>
        <span className={styles["dot"]} aria-hidden="true" />
        {words}
      </button>
    </Tooltip>
  );
}

/** The bar of a lost connection, with the age of what is seen. */
export function LiveBand() {
  const state = useSyncExternalStore(live.subscribe, live.state);
  if (!state.isLost) return null;
  return (
    <div className={styles["band"]} role="status">
      <Icon name="warn" />
      <span>
        Not live since {clock(state.since)} · what you see may be old. Activating compares, so it stays safe.
      </span>
    </div>
  );
}
