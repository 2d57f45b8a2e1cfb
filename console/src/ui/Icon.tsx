// The one set of icons: 16 px, strokes of 1.5, always beside a word but in the collapsed bar.
const PATHS = {
  add: "M8 3v10M3 8h10",
  agent: "M5 6.5h6a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-3a2 2 0 0 1 2-2ZM8 6.5V3.5M6.2 9.8v.6M9.8 9.8v.6M8 3.5V2.8",
  audit: "M3 4h10M3 8h10M3 12h6",
  back: "M13 8H3M7 4 3 8l4 4",
  bad: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  book: "M3 3.5h4a1 1 0 0 1 1 1v8a1 1 0 0 0-1-1H3ZM13 3.5H9a1 1 0 0 0-1 1v8a1 1 0 0 1 1-1h4Z",
  building: "M3.5 13.5v-10h6v10M9.5 7h3v6.5M2.5 13.5h11M5.5 6h2M5.5 8.5h2M5.5 11h2",
  check: "M3 8.5 6.5 12 13 4.5",
  chevron: "M4.5 6.5 8 10l3.5-3.5",
  close: "M4 4l8 8M12 4l-8 8",
  compare: "M5 3v10M2.5 10.5 5 13l2.5-2.5M11 13V3M8.5 5.5 11 3l2.5 2.5",
  copy: "M6 6h6.5v6.5H6ZM10 6V3.5H3.5V10H6",
  customer: "M2.5 13.5v-8L8 2.5l5.5 3v8ZM6 13.5v-4h4v4",
  door: "M6 3H3.5v10H6M7 8h6M10.5 5.5 13 8l-2.5 2.5",
  environment: "M8 2.5 13.5 5.5 8 8.5 2.5 5.5ZM2.5 8.5 8 11.5l5.5-3M2.5 11 8 14l5.5-3",
  external: "M9.5 3H13v3.5M13 3 7.5 8.5M6.5 4H3.5v8.5H12V9.5",
  file: "M4 2.5h5l3 3v8H4ZM9 2.5v3h3",
  gateway: "M2.5 8h3M10.5 8h3M5.5 5.5h5v5h-5ZM8 2.5v3M8 10.5v3",
  instance: "M3 3.5h10v4H3ZM3 8.5h10v4H3ZM5 5.5h.5M5 10.5h.5",
  key: "M9 7a3 3 0 1 0-2 2l-.5.5M7 9l-4 4M4.5 11.5 6 13M9.2 6.8h.1",
  more: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  operator: "M8 2.5 13 4.5v4c0 2.5-2 4.2-5 5.5-3-1.3-5-3-5-5.5v-4Z",
  overview: "M2.5 8.5 8 3.5l5.5 5M4 7.5v5.5h8V7.5",
  people: "M6 8a2.2 2.2 0 1 0 0-4.4A2.2 2.2 0 0 0 6 8ZM2.5 13c0-2 1.6-3.2 3.5-3.2S9.5 11 9.5 13M10.5 8a1.8 1.8 0 1 0-.6-3.5M11 9.8c1.5.2 2.5 1.4 2.5 3.2",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5 13.5 13.5",
  settings: "M2.5 4.5h6M11.5 4.5h2M10 3v3M2.5 11.5h2M7.5 11.5h6M6 10v3",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11ZM8 2.5a5.5 5.5 0 0 1 0 11",
  token: "M2.5 5.5h11v5h-11ZM5.5 8h.1M8 8h.1M10.5 8h.1",
  undo: "M5 4 2.5 6.5 5 9M2.5 6.5H10a3 3 0 0 1 0 6H6",
  warn: "M8 2.5 14 13H2ZM8 6.5v3M8 11.3v.1",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon. It is hidden from screen readers, since a word stands beside it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
