import { Page } from "~/frame/Page";
import { Gone } from "~/ui/states";

/** An address that leads nowhere. */
export default function MissingPage() {
  return (
    <Page title="Not found">
      <Gone what="page" />
    </Page>
  );
}
