// What the reader has chosen for this browser. No prompt, no secret and no data of a customer is stored.

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A browser without storage forgets the choice with the tab.
  }
  for (const listener of listeners) listener();
}

const listeners = new Set<() => void>();

export const preferences = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  theme: (): Theme => THEMES.find((theme) => theme === read("theme")) ?? "system",
  setTheme: (theme: Theme): void => {
    write("theme", theme === "system" ? null : theme);
    applyTheme();
  },
  rows: (): "comfortable" | "compact" => (read("rows") === "compact" ? "compact" : "comfortable"),
  setRows: (rows: "comfortable" | "compact"): void => {
    write("rows", rows === "compact" ? rows : null);
    applyTheme();
  },
  keys: (): boolean => read("keys") !== "off",
  setKeys: (on: boolean): void => {
    write("keys", on ? null : "off");
  },
  timeZone: (): string => read("time-zone") ?? "",
  setTimeZone: (zone: string): void => {
    write("time-zone", zone || null);
  },
  /** The customers that were looked at last, newest first: their ids alone. */
  recent: (): string[] => (read("recent") ?? "").split(" ").filter(Boolean),
  addRecent: (customerId: string): void => {
    const rest = preferences.recent().filter((id) => id !== customerId);
    write("recent", [customerId, ...rest].slice(0, 5).join(" "));
  },
  /** The columns of a table that the reader has hidden. */
  hiddenColumns: (table: string): string[] => (read(`columns ${table}`) ?? "").split(" ").filter(Boolean),
  setHiddenColumns: (table: string, columns: string[]): void => {
    write(`columns ${table}`, columns.join(" ") || null);
  },
};

/** Puts theme and row height on the document. */
export function applyTheme(): void {
  const { dataset } = document.documentElement;
  const theme = preferences.theme();
  if (theme === "system") delete dataset["theme"];
  else dataset["theme"] = theme;
  if (preferences.rows() === "compact") dataset["rows"] = "compact";
  else delete dataset["rows"];
}
