import type { VersionContentFragment } from "~/__generated__/graphql";
import { CopyButton } from "~/ui/CopyButton";
import { ShortId } from "~/ui/marks";
import { Tabs } from "~/ui/Tabs";
import { Time } from "~/ui/Time";
import { numberText } from "~/api/exact";
import { count } from "~/words";
import { size } from "./content";
import { PromptText } from "./PromptText";
import { isObject } from "./schema";
import type { VERSION_TABS } from "./search";
import { Tools } from "./Tools";
import styles from "./Version.module.css";

type VersionTab = (typeof VERSION_TABS)[number];

/** What a version holds: its page and the panel beside the list show the same. */
export function VersionView({ version, tab, onTab }: { version: VersionContentFragment; tab: VersionTab; onTab: (tab: VersionTab) => void }) {
  const { number, systemPrompt, tools, variables } = version;
  return (
    <Tabs
      label={`Version ${number}`}
      value={tab}
      onChange={(key) => onTab(key as VersionTab)}
      tabs={[
        {
          key: "prompt",
          label: "Prompt",
          content: (
            <div className={styles["part"]}>
              <div className={styles["bar"]}>
                <span className="muted">
                  {size(new TextEncoder().encode(systemPrompt).length)} · {count(systemPrompt.replace(/\n$/, "").split("\n").length, "line")}
                  {variables.length > 0 && " · variables "}
                  {variables.map((name) => (
                    <code key={name} className={styles["variable"]}>
                      {name}
                    </code>
                  ))}
                </span>
                <CopyButton text={systemPrompt} what="prompt" label="Copy prompt" quiet />
              </div>
              <PromptText text={systemPrompt} label={`Prompt of version ${number}`} />
            </div>
          ),
        },
        { key: "tools", label: `Tools (${tools.length})`, content: <Tools tools={tools} /> },
        { key: "settings", label: "Model and settings", content: <Settings version={version} /> },
        { key: "details", label: "Details", content: <Details version={version} /> },
      ]}
    />
  );
}

function Settings({ version: { modelName, modelParameters, extensions } }: { version: VersionContentFragment }) {
  const parameters = isObject(modelParameters) ? Object.entries(modelParameters) : [];
  const hasExtensions = isObject(extensions) && Object.keys(extensions).length > 0;
  return (
    <div className={styles["part"]}>
      <dl className={styles["settings"]}>
        <div>
          <dt>Model</dt>
          <dd>
            <code>{modelName}</code>
          </dd>
        </div>
        {parameters.map(([key, value]) => (
          <div key={key}>
            <dt>
              <code>{key}</code>
            </dt>
            <dd>
              <code>{numberText(value) ?? JSON.stringify(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
      {parameters.length === 0 && <p className="muted">No settings: the model’s defaults hold.</p>}
      <h3>Extensions</h3>
      {hasExtensions ? <pre className={styles["json"]} tabIndex={0} aria-label="Extensions">{JSON.stringify(extensions, null, 2)}</pre> : <p className="muted">No extensions.</p>}
    </div>
  );
}

function Details({ version }: { version: VersionContentFragment }) {
  const { id, number, createdAt, createdBy, message, contentBytes, contentHash, bytesHash } = version;
  return (
    <dl className={styles["settings"]}>
      <div>
        <dt>Published</dt>
        <dd>
          <Time at={createdAt} exact /> by {createdBy.displayName}
        </dd>
      </div>
      <div>
        <dt>Message</dt>
        <dd>{message ?? <span className="muted">none</span>}</dd>
      </div>
      <div>
        <dt>Size</dt>
        <dd>{size(contentBytes)}</dd>
      </div>
      <div>
        <dt>Id</dt>
        <dd>
          <ShortId id={id} name={`version ${number}`} />
        </dd>
      </div>
      <Hash name="Hash of the bytes" note="names exactly what gateways get" hash={bytesHash} />
      <Hash name="Hash of the content" note="the same for the same content in another spelling" hash={contentHash} />
    </dl>
  );
}

function Hash({ name, note, hash }: { name: string; note: string; hash: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className={styles["hash"]}>
          <code>{hash}</code>
          <CopyButton text={hash} what={name.toLowerCase()} quiet />
        </span>
        <span className="muted">{note}</span>
      </dd>
    </div>
  );
}
