import { useRef, useState } from "react";
import { parseExact } from "~/api/exact";
import { isObject, rowsOf, TYPES, withRows, type SchemaRow } from "~/pages/version/schema";
import { Button } from "~/ui/Button";
import { Editor } from "~/ui/editor";
import { CustomField, inputClass, TextArea, TextField } from "~/ui/Form";
import { jsonErrors, toolDraft, type ToolDraft } from "./draft";
import { PasteTools } from "./PasteTools";
import styles from "./Publish.module.css";

/** The tools in their order: add, move, remove, paste. */
export function ToolsEditor({ tools, onChange }: { tools: readonly ToolDraft[]; onChange: (tools: ToolDraft[]) => void }) {
  const [isPasting, setPasting] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const replace = (index: number, next: ToolDraft) => onChange(tools.map((tool, place) => (place === index ? next : tool)));
  const move = (index: number, step: 1 | -1) => {
    const next = [...tools];
    const [moved] = next.splice(index, 1);
    if (moved) next.splice(index + step, 0, moved);
    onChange(next);
    // The tool that was moved keeps the focus, so that a second press moves it on.
    const key = moved?.key;
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-tool="${key}"] [data-move="${step}"]`)?.focus());
  };
  const add = () => {
    const tool = toolDraft({ name: "", inputSchema: { type: "object", properties: {} } });
    onChange([...tools, tool]);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-tool="${tool.key}"] input`)?.focus());
  };
  return (
    <CustomField name="tools" label={`Tools (${tools.length})`} hint="What the model may call, in this order.">
      {({ id }) => (
        <div id={id} tabIndex={-1} className={styles["tools"]}>
          <ol ref={list} className={styles["toolList"]}>
            {tools.map((tool, index) => (
              <ToolEditor
                key={tool.key}
                tool={tool}
                index={index}
                isLast={index === tools.length - 1}
                onChange={(next) => replace(index, next)}
                onMove={(step) => move(index, step)}
                onRemove={() => {
                  onChange(tools.filter((_, place) => place !== index));
                  document.getElementById(id)?.focus();
                }}
              />
            ))}
          </ol>
          <div className={styles["buttons"]}>
            <Button icon="add" onClick={add}>
              Add a tool
            </Button>
            <Button icon="copy" onClick={() => setPasting(true)}>
              Paste tools…
            </Button>
          </div>
          {isPasting && <PasteTools tools={tools} onChange={onChange} onClose={() => setPasting(false)} />}
        </div>
      )}
    </CustomField>
  );
}

interface ToolEditorProps {
  tool: ToolDraft;
  index: number;
  isLast: boolean;
  onChange: (tool: ToolDraft) => void;
  onMove: (step: 1 | -1) => void;
  onRemove: () => void;
}

function ToolEditor({ tool, index, isLast, onChange, onMove, onRemove }: ToolEditorProps) {
  const path = `tools.${index}`;
  const name = tool.name.trim() || `tool ${index + 1}`;
  const [hasMore, setMore] = useState(tool.more !== "");
  return (
    <li className={styles["tool"]} data-tool={tool.key} aria-label={name}>
      <div className={styles["toolHead"]}>
        <TextField name={`${path}.name`} label="Name" value={tool.name} spellCheck={false} className={styles["mono"]} onChange={({ target }) => onChange({ ...tool, name: target.value })} />
        <span className={styles["toolButtons"]}>
          <Button kind="quiet" small data-move="-1" reason={index === 0 && "It is the first"} aria-label={`Move ${name} up`} onClick={() => onMove(-1)}>
            ↑
          </Button>
          <Button kind="quiet" small data-move="1" reason={isLast && "It is the last"} aria-label={`Move ${name} down`} onClick={() => onMove(1)}>
            ↓
          </Button>
          <Button kind="quiet" small icon="close" iconOnly onClick={onRemove}>
            Remove {name}
          </Button>
        </span>
      </div>
      <TextArea name={`${path}.description`} label="Description" hint="The model reads it to decide when to call." rows={2} value={tool.description} onChange={({ target }) => onChange({ ...tool, description: target.value })} />
      <Schema tool={tool} path={path} name={name} onChange={onChange} />
      {hasMore ? (
        <CustomField name={`${path}.more`} label="Other members" hint="JSON: title, outputSchema, annotations, icons, execution, strict, _meta, additional.">
          {({ id, describedBy }) => <Editor id={id} describedBy={describedBy} language="json" lines={4} label={`Other members of ${name}`} value={tool.more} errors={jsonErrors(tool.more)} onChange={(more) => onChange({ ...tool, more })} />}
        </CustomField>
      ) : (
        <Button kind="link" className={styles["moreButton"]} onClick={() => setMore(true)}>
          Annotations, output schema and other members
        </Button>
      )}
    </li>
  );
}

/** The rows of a text; null if it isn't a flat schema. */
function rowsIn(text: string): { rows: SchemaRow[]; base: Record<string, unknown> } | null {
  try {
    const value = text.trim() === "" ? { type: "object", properties: {} } : parseExact(text);
    const rows = rowsOf(value);
    return rows && isObject(value) ? { rows, base: value } : null;
  } catch {
    return null;
  }
}

function Schema({ tool, path, name, onChange }: { tool: ToolDraft; path: string; name: string; onChange: (tool: ToolDraft) => void }) {
  const isRows = tool.mode === "rows";
  const asRows = isRows ? null : rowsIn(tool.text);
  const toggle = () => {
    if (isRows) onChange({ ...tool, mode: "json", text: JSON.stringify(withRows(tool.base, tool.rows), null, 2) });
    else if (asRows) onChange({ ...tool, mode: "rows", ...asRows });
  };
  const errors = isRows ? [] : jsonErrors(tool.text);
  return (
    <div className={styles["schema"]}>
      <Button kind="quiet" small className={styles["schemaToggle"]} reason={!isRows && !asRows && "Only JSON can hold this schema"} onClick={toggle}>
        {isRows ? "Edit as JSON" : "Edit as rows"}
      </Button>
      <CustomField name={`${path}.inputSchema`} label="Parameters">
        {({ id, describedBy }) =>
          isRows ? (
            <Rows id={id} rows={tool.rows} name={name} onChange={(rows) => onChange({ ...tool, rows })} />
          ) : (
            <>
              <Editor id={id} describedBy={describedBy} language="json" label={`Parameters of ${name} as JSON Schema`} value={tool.text} errors={errors} onChange={(text) => onChange({ ...tool, text })} />
              {errors.map(({ line, message }) => (
                <span key={line} className={styles["lineError"]}>
                  Line {line}: {message}
                </span>
              ))}
            </>
          )
        }
      </CustomField>
    </div>
  );
}

function Rows({ id, rows, name, onChange }: { id: string; rows: readonly SchemaRow[]; name: string; onChange: (rows: SchemaRow[]) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const change = (index: number, next: Partial<SchemaRow>) => onChange(rows.map((row, place) => (place === index ? { ...row, ...next } : row)));
  return (
    <div id={id} ref={list} tabIndex={-1} className={styles["rows"]}>
      {rows.map((row, index) => {
        const called = row.name || `parameter ${index + 1}`;
        return (
          <div key={index} className={styles["row"]} role="group" aria-label={`${called} of ${name}`}>
            <input className={`${inputClass} ${styles["mono"]}`} aria-label={`Name of ${called}`} placeholder="name" value={row.name} spellCheck={false} autoComplete="off" onChange={({ target }) => change(index, { name: target.value })} />
            <select className={inputClass} aria-label={`Type of ${called}`} value={row.type} onChange={({ target }) => change(index, { type: target.value })}>
              <option value="">any</option>
              {TYPES.map((type) => (
                <option key={type}>{type}</option>
              ))}
              {row.type && !(TYPES as readonly string[]).includes(row.type) && <option>{row.type}</option>}
            </select>
            <label className={styles["required"]}>
              <input type="checkbox" checked={row.isRequired} onChange={({ target }) => change(index, { isRequired: target.checked })} /> required
            </label>
            <input className={inputClass} aria-label={`Description of ${called}`} placeholder="description" value={row.description} autoComplete="off" onChange={({ target }) => change(index, { description: target.value })} />
            <input className={`${inputClass} ${styles["mono"]}`} aria-label={`Values of ${called}`} placeholder="any value" value={row.values} spellCheck={false} autoComplete="off" onChange={({ target }) => change(index, { values: target.value })} />
            <Button kind="quiet" small icon="close" iconOnly onClick={() => onChange(rows.filter((_, place) => place !== index))}>
              Remove {called}
            </Button>
          </div>
        );
      })}
      <Button
        kind="quiet"
        small
        icon="add"
        onClick={() => {
          onChange([...rows, { name: "", type: "string", isRequired: false, description: "", values: "", rest: {} }]);
          requestAnimationFrame(() => list.current?.querySelector<HTMLElement>("[role=group]:last-of-type input")?.focus());
        }}
      >
        Add a parameter
      </Button>
    </div>
  );
}
