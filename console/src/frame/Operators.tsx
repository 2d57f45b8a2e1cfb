import type { ReactNode } from "react";
import { Gone } from "~/ui/states";
import { Page } from "./Page";
import { useViewer } from "./scope";

/** What belongs to the platform: for others than operators there is no such page. */
export function OperatorsOnly({ children }: { children: ReactNode }) {
  if (useViewer().isOperator) return children;
  return (
    <Page title="Not found">
      <Gone what="page" />
    </Page>
  );
}
