import { lazy, Suspense } from "react";
import styles from "./Chart.module.css";

export interface Series {
  label: string;
  tone: "accent" | "warn" | "muted" | "ok";
  /** One value a day. */
  values: readonly number[];
}

export interface ChartProps {
  /** The question that the chart answers. */
  label: string;
  /** The days, `2026-11-29`. */
  days: readonly string[];
  series: readonly Series[];
  /** Called with a day that is clicked. */
  onPick?: (day: string) => void;
  /** The day that is chosen. */
  picked?: string | null;
}

const BarChart = lazy(() => import("./BarChart"));

/** Stacked bars, one a day, with a table of the same numbers for screen readers. */
export function Chart(props: ChartProps) {
  const { label, days, series } = props;
  return (
    <figure className={styles["figure"]}>
      <div className={styles["plot"]}>
        <Suspense>
          <BarChart {...props} />
        </Suspense>
      </div>
      <figcaption className={styles["legend"]}>
        {series.map(({ label: words, tone, values }) => (
          <span key={words} className={styles["key"]} data-tone={tone}>
            {words} <b className="number">{values.reduce((sum, value) => sum + value, 0).toLocaleString("en")}</b>
          </span>
        ))}
      </figcaption>
      <table className="unseen">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            {series.map(({ label: words }) => (
              <th key={words} scope="col">
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map((day, index) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              {series.map(({ label: words, values }) => (
                <td key={words}>{values[index] ?? 0}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
