import { Dialog } from "~/ui/Dialog";
import { KEYS } from "./keys";
import styles from "./Palette.module.css";

/** All keys, in one dialog. */
export default function KeysHelp({ close }: { close: () => void }) {
  return (
    <Dialog title="Keys" onClose={close} narrow>
      <dl className={styles["keys"]}>
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (key === "or" ? " or " : <kbd key={key}>{key}</kbd>))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">Keys are off in fields. Settings turns them off everywhere.</p>
    </Dialog>
  );
}
