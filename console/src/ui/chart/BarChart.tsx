import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "react";
import UPlot, { type Options } from "uplot";
import type { ChartProps } from "./index";
import { stack } from "./stack";

/** The colours of the present theme: a canvas doesn't read variables. */
function coloursOf(element: HTMLElement): (name: string) => string {
  const probe = document.createElement("i");
  element.append(probe);
  const colours = new Map<string, string>();
  for (const name of ["accent", "warn", "muted", "ok", "line"]) {
    probe.style.color = `var(--${name})`;
    colours.set(name, getComputedStyle(probe).color);
  }
  probe.remove();
  return (name) => colours.get(name) ?? "";
}

/** Counts the changes of theme, so that the chart is drawn anew. */
function useTheme(): number {
  const [turns, setTurns] = useState(0);
  useEffect(() => {
    const turn = () => setTurns((count) => count + 1);
    const query = matchMedia("(prefers-color-scheme: dark)");
    const observer = new MutationObserver(turn);
    query.addEventListener("change", turn);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      query.removeEventListener("change", turn);
      observer.disconnect();
    };
  }, []);
  return turns;
}

export default function BarChart({ days, series, onPick, label }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const pick = useRef(onPick);
  const theme = useTheme();
  useEffect(() => {
    pick.current = onPick;
  }, [onPick]);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const colour = coloursOf(element);
    const font = getComputedStyle(document.body).fontFamily;
    const tops = stack(series.map(({ values }) => values), days.length);
    const axis = { font: `12px ${font}`, stroke: colour("muted"), ticks: { show: false } };
    const bars = UPlot.paths.bars?.({ size: [0.7, 24] });
    const options: Options = {
      width: element.clientWidth,
      height: 140,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { time: false, range: (_, from, to) => [from - 0.5, to + 0.5] }, y: { range: (_, _from, to) => [0, Math.max(to * 1.1, 4)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 72, values: (_, splits) => splits.map((split) => (Number.isInteger(split) ? (days[split]?.slice(5).split("-").reverse().join(".") ?? "") : "")) },
        { ...axis, grid: { stroke: colour("line"), width: 1 }, size: 36, space: 32, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] },
      ],
      // The highest first, so that each is drawn over by those that it stands on.
      series: [{}, ...[...series].reverse().map(({ tone, label: words }) => ({ label: words, fill: colour(tone), stroke: colour(tone), width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) }))],
    };
    const plot = new UPlot(options, [days.map((_, index) => index), ...[...tops].reverse()], element);
    const click = () => {
      const day = days[plot.cursor.idx ?? -1];
      if (day) pick.current?.(day);
    };
    plot.over.addEventListener("click", click);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 140 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [days, series, theme]);
  return <div ref={host} role="img" aria-label={`${label}. The numbers are in the table that follows.`} />;
}
