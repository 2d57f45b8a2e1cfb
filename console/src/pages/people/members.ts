// What the list of members says about its people.
import type { PeopleQuery, Role } from "~/__generated__/graphql";

export type Member = NonNullable<NonNullable<PeopleQuery["customer"]>["members"]>["nodes"][number];
export type Invitation = NonNullable<NonNullable<PeopleQuery["customer"]>["invitations"]>["nodes"][number];

interface Named {
  user: { id: string; name?: string | null; identities?: readonly { subject: string }[] | null };
  email?: string | null;
}

/** What a member is called: the name, else the address, else the subject, else the last characters of the id. */
export function memberName({ user, email }: Named): string {
  return user.name ?? email ?? user.identities?.[0]?.subject ?? `Person …${user.id.slice(-6)}`;
}

/**
 * Why a member must stay an ADMIN: without one, nobody could invite or make keys. Null if there are others, or if the
 * list isn't whole, and only the service knows.
 */
export function whyStaysAdmin(member: { role: Role; user: { id: string } }, members: readonly { role: Role; user: { id: string } }[], isWhole: boolean): string | null {
  if (member.role !== "ADMIN" || !isWhole) return null;
  const others = members.some(({ role, user }) => role === "ADMIN" && user.id !== member.user.id);
  return others ? null : "The only admin. Make somebody else an admin first";
}
