import { count } from "~/words";

/** The numbers of a convergence. */
export interface ConvergenceNumbers {
  gateways: number;
  applied: number;
  pending: number;
  late: number;
  rejected: number;
  silent: number;
}

/** "9 of 12 gateways applied it · 2 not yet · 1 refuses it". */
export function convergenceWords({ gateways, applied, pending, late, rejected, silent }: ConvergenceNumbers): string {
  const waiting = pending - late;
  const parts = [
    `${applied} of ${count(gateways, "gateway")} applied it`,
    waiting > 0 && `${waiting} not yet`,
    late > 0 && `${late} late`,
    rejected > 0 && `${rejected} ${rejected === 1 ? "refuses" : "refuse"} it`,
    silent > 0 && `${silent} never ${silent === 1 ? "reports" : "report"}`,
  ];
  return parts.filter(Boolean).join(" · ");
}
