import type { Role } from "~/__generated__/graphql";
import { ChoiceField } from "~/ui/Choices";
import { roleMeaning, roleWord } from "~/words";

const ROLES = ["VIEWER", "EDITOR", "ADMIN"] as const satisfies readonly Role[];

/** The roles with what each may do. */
export function RoleField({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return <ChoiceField name="role" label="Role" value={value} onChange={onChange} choices={ROLES.map((role) => ({ value: role, label: roleWord(role), hint: roleMeaning(role) }))} />;
}
