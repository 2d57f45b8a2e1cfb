import { useMemo, useState } from "react";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { inputClass } from "~/ui/Form";
import { count } from "~/words";
import { toolDraft, type ToolDraft } from "./draft";
import { readTools, replacedNames } from "./paste";
import styles from "./Publish.module.css";

/** Takes tools in another system's form, and says what it found before it adds them. */
export function PasteTools({ tools, onChange, onClose }: { tools: readonly ToolDraft[]; onChange: (tools: ToolDraft[]) => void; onClose: () => void }) {
  const [text, setText] = useState("");
  const found = useMemo(() => (text.trim() === "" ? null : readTools(text)), [text]);
  const replaced = found?.ok ? replacedNames(found.tools, tools) : [];
  const add = () => {
    if (!found?.ok) return;
    const drafts = found.tools.map(toolDraft);
    const kept = tools.map((tool) => {
      const next = drafts.find(({ name }) => name === tool.name.trim());
      return next ? { ...next, key: tool.key } : tool;
    });
    onChange([...kept, ...drafts.filter(({ name }) => !replaced.includes(name))]);
    onClose();
  };
  return (
    <Dialog
      title="Paste tools"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="filled" reason={!found ? "Paste something first" : !found.ok && "No tools were found"} onClick={add}>
            {found?.ok ? `Add ${count(found.tools.length, "tool")}` : "Add tools"}
          </Button>
        </>
      }
    >
      <div className={styles["paste"]}>
        <p className="muted">
          An MCP <code>tools/list</code>, OpenAI’s functions or Anthropic’s tools, as JSON.
        </p>
        <textarea className={`${inputClass} ${styles["mono"]}`} rows={12} aria-label="Tools as JSON" spellCheck={false} autoComplete="off" autoFocus value={text} onChange={({ target }) => setText(target.value)} />
        <div role="status">
          {found && !found.ok && <p className={styles["wrong"]}>{found.message}</p>}
          {found?.ok && (
            <>
              <p>
                {count(found.tools.length, "tool")} in {found.forms.join("’s and ")}’s form.
              </p>
              <ul className={styles["found"]}>
                {found.tools.map(({ name }, index) => (
                  <li key={index}>
                    <code>{name}</code> {replaced.includes(name) && <span className="muted">takes the place of the one here</span>}
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      </div>
    </Dialog>
  );
}
