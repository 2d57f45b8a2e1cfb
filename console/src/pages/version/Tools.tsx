import { useState } from "react";
import type { VersionContentFragment } from "~/__generated__/graphql";
import { Button } from "~/ui/Button";
import { CopyButton } from "~/ui/CopyButton";
import { toolInput } from "./content";
import { boundsOf, rowsOf } from "./schema";
import styles from "./Version.module.css";

type Tool = VersionContentFragment["tools"][number];

/** The tools in their order: parameters as rows where the schema is flat, and all of it as JSON. */
export function Tools({ tools }: { tools: readonly Tool[] }) {
  if (tools.length === 0) return <p className="muted">No tools: the model only writes text.</p>;
  return (
    <ol className={styles["tools"]}>
      {tools.map((tool) => (
        <li key={tool.name}>
          <ToolCard tool={tool} />
        </li>
      ))}
    </ol>
  );
}

function ToolCard({ tool }: { tool: Tool }) {
  const [isJson, setJson] = useState(false);
  const { name, title, description, inputSchema, strict, annotations } = tool;
  const rows = rowsOf(inputSchema);
  const text = JSON.stringify(toolInput(tool), null, 2);
  return (
    <article className={styles["tool"]} aria-label={`Tool ${name}`}>
      <header>
        <h3>
          <code>{name}</code>
          {title && <span className="muted"> {title}</span>}
        </h3>
        <span className={styles["toolButtons"]}>
          <Button kind="quiet" small aria-pressed={isJson || !rows} reason={!rows && "Only JSON can show this schema"} onClick={() => setJson(!isJson)}>
            JSON
          </Button>
          <CopyButton text={text} what={`tool ${name} as JSON`} quiet />
        </span>
      </header>
      {description && <p className={styles["about"]}>{description}</p>}
      {isJson || !rows ? <pre className={styles["json"]} tabIndex={0} aria-label={`${name} as JSON`}>{text}</pre> : <Rows rows={rows} isClosed={(inputSchema as { additionalProperties?: unknown }).additionalProperties === false} />}
      {(strict || annotations !== null) && !isJson && (
        <p className={styles["traits"]}>
          {strict && <span>strict</span>}
          {annotations !== null && <code>{JSON.stringify(annotations)}</code>}
        </p>
      )}
    </article>
  );
}

function Rows({ rows, isClosed }: { rows: NonNullable<ReturnType<typeof rowsOf>>; isClosed: boolean }) {
  if (rows.length === 0) return <p className="muted">It takes no arguments{isClosed ? "" : ", or any"}.</p>;
  return (
    <dl className={styles["rows"]}>
      {rows.map(({ name, type, isRequired, description, values, rest }) => (
        <div key={name}>
          <dt>
            <code>{name}</code>
            {isRequired && <span className={styles["required"]}>required</span>}
          </dt>
          <dd>
            <span className={styles["type"]}>{[type || "any", boundsOf(rest)].filter(Boolean).join(" · ")}</span>
            {values && <code className={styles["values"]}>{values}</code>}
            {description && <span>{description}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
