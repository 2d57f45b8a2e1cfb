// CodeMirror inside of a shadow root, where it puts its styles into `adoptedStyleSheets`: a `<style>` element would break
// the page's policy.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, RangeSetBuilder, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, keymap, lineNumbers, MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { classes } from "../classes";
import type { EditorProps, LineError } from "./index";
import styles from "./Editor.module.css";

const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--bg)", font: "var(--code)", maxHeight: "70vh" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground, ::selection": { backgroundColor: "var(--accent-bg) !important" },
  ".cm-variable": { backgroundColor: "var(--accent-bg)", color: "var(--accent)", borderRadius: "3px" },
  ".cm-wrong": { backgroundColor: "var(--bad-bg)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-bg)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--raised)", border: "1px solid var(--control)", color: "var(--text)" },
  ".cm-textfield": { backgroundColor: "var(--bg)", border: "1px solid var(--control)", color: "var(--text)" },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--production)" },
]);

/** Marks `{{names}}`. */
const variables = (() => {
  const decorator = new MatchDecorator({ regexp: /\{\{\s*[\w.-]+\s*\}\}/g, decoration: Decoration.mark({ class: "cm-variable" }) });
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = decorator.createDeco(view);
      }
      update(update: ViewUpdate) {
        this.decorations = decorator.updateDeco(update, this.decorations);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
})();

const setErrors = StateEffect.define<readonly LineError[]>();

/** Marks the lines that are wrong. */
const wrongLines = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setErrors)) continue;
      const builder = new RangeSetBuilder<Decoration>();
      for (const { line, message } of [...effect.value].sort((one, other) => one.line - other.line)) {
        if (line < 1 || line > transaction.state.doc.lines) continue;
        const { from } = transaction.state.doc.line(line);
        builder.add(from, from, Decoration.line({ class: "cm-wrong", attributes: { title: message } }));
      }
      next = builder.finish();
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export default function CodeEditor({ label, value, onChange, language, readOnly = false, errors, describedBy, id, lines = 8 }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  const first = useRef({ value, label, id, language, lines });
  const attributes = useRef(new Compartment());
  const readable = useRef(new Compartment());
  useEffect(() => {
    changed.current = onChange;
  }, [onChange]);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const start = first.current;
    const extensions: Extension[] = [
      theme,
      syntaxHighlighting(colours),
      lineNumbers(),
      history(),
      bracketMatching(),
      search({ top: true }),
      EditorView.lineWrapping,
      EditorState.tabSize.of(2),
      wrongLines,
      start.language === "json" ? json() : variables,
      attributes.current.of([]),
      readable.current.of([]),
      // Tab leaves the editor, so that the keyboard isn't trapped.
      keymap.of([...searchKeymap, ...historyKeymap, ...defaultKeymap]),
      EditorView.theme({ ".cm-content, .cm-gutter": { minHeight: `${start.lines * 20 + 16}px` } }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) changed.current?.(update.state.doc.toString());
      }),
    ];
    const editor = new EditorView({ root, parent: root, state: EditorState.create({ doc: start.value, extensions }) });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({ effects: setErrors.of(errors ?? []) });
  }, [errors]);
  useEffect(() => {
    view.current?.dispatch({
      effects: [
        readable.current.reconfigure([EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly)]),
        attributes.current.reconfigure(EditorView.contentAttributes.of({ "aria-label": label, "aria-multiline": "true", tabindex: "0", ...(errors?.length ? { "aria-invalid": "true" } : {}) })),
      ],
    });
  }, [readOnly, label, errors]);
  return (
    <div
      ref={host}
      id={id}
      tabIndex={-1}
      className={classes(styles["editor"], styles["host"])}
      data-invalid={errors?.length ? "" : undefined}
      aria-describedby={describedBy}
      onFocus={(event) => {
        if (event.target === event.currentTarget) view.current?.focus();
      }}
    />
  );
}
