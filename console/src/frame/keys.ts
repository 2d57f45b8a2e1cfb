// The keys: off in fields, and as a whole in Settings (WCAG 2.1.4). Ctrl or ⌘ with K always opens the palette.
import { pageActions } from "./actions";
import { preferences } from "~/preferences";

export const KEYS: [keys: string, does: string][] = [
  ["Ctrl K or ⌘ K", "Search, and do what the page offers"],
  ["/", "Filter the list"],
  ["g o", "Go to Overview"],
  ["g a", "Go to Agents"],
  ["g u", "Go to Audit"],
  ["g p", "Go to People"],
  ["g k", "Go to Keys"],
  ["g e", "Go to Environments"],
  ["g s", "Go to Settings"],
  ["j k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["n", "New version, or the page’s first action"],
  ["?", "All keys"],
];

/** What the frame does about keys. */
export interface KeyHandlers {
  palette: () => void;
  help: () => void;
  /** Goes to a page by the letter after `g`. */
  go: (letter: string) => void;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.shadowRoot !== null || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Moves the focus to the next or previous row's link of the list that has the focus, or of the first list. */
function moveRow(step: 1 | -1): boolean {
  const active = document.activeElement;
  const list = active?.closest("[data-rows]") ?? document.querySelector("main [data-rows]");
  if (!list) return false;
  const links = [...list.querySelectorAll<HTMLElement>("tbody tr:not([aria-hidden]) :is(a, button):first-of-type, [data-row] a:first-of-type")].filter(
    (link, index, all) => all.findIndex((one) => one.closest("tr, [data-row]") === link.closest("tr, [data-row]")) === index,
  );
  const row = active?.closest("tr, [data-row]");
  const place = links.findIndex((link) => row !== null && row !== undefined && link.closest("tr, [data-row]") === row);
  const next = links[place < 0 ? 0 : place + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
}

/** Listens until the returned function is called. */
export function listenToKeys({ palette, help, go }: KeyHandlers): () => void {
  let afterG = 0;
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && key.toLowerCase() === "k") {
      event.preventDefault();
      palette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target) || !preferences.keys() || document.querySelector("dialog[open], [role=menu]")) return;
    if (Date.now() - afterG < 1500) {
      afterG = 0;
      go(key);
      return;
    }
    const own = pageActions().find(({ shortcut, reason }) => shortcut === key && !reason);
    if (own) own.onSelect();
    else if (key === "g") afterG = Date.now();
    else if (key === "?") help();
    else if (key === "/") {
      const filter = document.querySelector<HTMLElement>("[data-filter]");
      if (!filter) return;
      filter.focus();
    } else if (key !== "j" && key !== "k") return;
    else if (!moveRow(key === "j" ? 1 : -1)) return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
