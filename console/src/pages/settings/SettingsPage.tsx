import { useId, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import type { SettingsQuery } from "~/__generated__/graphql";
import { useData } from "~/api/query";
import { useSubmit } from "~/api/submit";
import { Page } from "~/frame/Page";
import { preferences, THEMES } from "~/preferences";
import { absolute } from "~/time";
import { Button } from "~/ui/Button";
import { Form, inputClass, TextField } from "~/ui/Form";
import { Outcome } from "~/ui/Outcome";
import { Data } from "~/ui/states";
import { useNow } from "~/ui/Time";
import { toast } from "~/ui/toasts";
import { SettingsDocument, UpdateProfileDocument } from "./documents";
import { Sessions } from "./Sessions";
import styles from "./SettingsPage.module.css";

/** One's own sessions, name, and how the console looks in this browser. */
export default function SettingsPage() {
  const query = useData(SettingsDocument, {}, { topics: ["viewer"] });
  return (
    <Page title="Settings">
      <div className={styles["page"]}>
        <Data query={query} what="your sessions">
          {({ viewer }) => (
            <>
              <Profile viewer={viewer} />
              <Sessions sessions={viewer.sessions} />
            </>
          )}
        </Data>
        <Look />
      </div>
    </Page>
  );
}

function Profile({ viewer }: { viewer: SettingsQuery["viewer"] }) {
  const [name, setName] = useState(viewer.user?.name ?? "");
  const update = useSubmit(UpdateProfileDocument, (data) => data.updateProfile, ["viewer"]);
  const save = async () => {
    const payload = await update.submit({ name: name === "" ? null : name });
    if (payload) toast("Your name is changed.");
  };
  return (
    <section className={styles["section"]} aria-labelledby="you">
      <h2 id="you">You</h2>
      <p className="muted">
        Signed in as {viewer.user?.email ?? viewer.name}. Others see you as “{viewer.displayName}”.
      </p>
      <Form label="Your name" errors={update.errors} onSubmit={() => void save()} className={styles["name"]}>
        <TextField name="name" label="Name" hint="Empty takes the name that your identity provider has." value={name} maxLength={200} onChange={({ target }) => setName(target.value)} />
        <Outcome state={update} what="your name was changed" inForm />
        <div>
          <Button
            type="submit"
            busy={update.isBusy}
            reason={!viewer.user ? "You have no profile yet: your first change of anything makes one" : name === (viewer.user.name ?? "") && "Same as before"}
          >
            Save name
          </Button>
        </div>
      </Form>
    </section>
  );
}

const THEME_WORDS = { system: "As the system has it", light: "Light", dark: "Dark" };
const ROW_WORDS = { comfortable: "Comfortable", compact: "Compact" };

/** What this browser keeps. */
function Look() {
  const theme = useSyncExternalStore(preferences.subscribe, preferences.theme);
  const rows = useSyncExternalStore(preferences.subscribe, preferences.rows);
  const keys = useSyncExternalStore(preferences.subscribe, preferences.keys);
  return (
    <section className={styles["section"]} aria-labelledby="look">
      <h2 id="look">This browser</h2>
      <div className={styles["fields"]}>
        <Choices legend="Theme" name="theme" values={THEMES} words={THEME_WORDS} value={theme} onChange={preferences.setTheme} />
        <Choices legend="Rows of tables" name="rows" values={["comfortable", "compact"] as const} words={ROW_WORDS} value={rows} onChange={preferences.setRows} />
        <Choices
          legend="Keys"
          name="keys"
          values={["on", "off"] as const}
          words={{ on: "On: ? lists them", off: "Off, but for Ctrl K" }}
          value={keys ? "on" : "off"}
          onChange={(value) => preferences.setKeys(value === "on")}
        />
        <TimeZone />
      </div>
    </section>
  );
}

function Choices<Value extends string>({ legend, name, values, words, value, onChange }: { legend: string; name: string; values: readonly Value[]; words: Record<Value, ReactNode>; value: Value; onChange: (value: Value) => void }) {
  return (
    <fieldset className={styles["field"]}>
      <legend className={styles["legend"]}>{legend}</legend>
      <div className={styles["choices"]}>
        {values.map((one) => (
          <label key={one}>
            <input type="radio" name={name} checked={one === value} onChange={() => onChange(one)} />
            {words[one]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function TimeZone() {
  const zone = useSyncExternalStore(preferences.subscribe, preferences.timeZone);
  const now = useNow();
  const id = useId();
  const zones = useMemo(() => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((one) => one !== "UTC")], []);
  return (
    <div className={styles["field"]}>
      <label className={styles["legend"]} htmlFor={id}>
        Time zone
      </label>
      <select id={id} className={inputClass} value={zone} onChange={({ target }) => preferences.setTimeZone(target.value)}>
        <option value="">As the system has it</option>
        {zones.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <span className="muted">Now it is {absolute(now, zone || undefined)}.</span>
    </div>
  );
}
