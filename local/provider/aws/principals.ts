/** The roles and users that a resource policy names as its Principal. AWS looks each of them up; the emulator does not. */
import { setTimeout } from "node:timers/promises";
import { GetRoleCommand, GetUserCommand } from "@aws-sdk/client-iam";
import { type PolicyDocument, statementsIn } from "../../aws/iam/policy-document";
import { type AwsContext, clientsOf, unlessMissing } from "./context";

/** @throws Error with this message when an identity does not exist, or is younger than the cloud's propagation delay */
export async function assertPrincipals(context: AwsContext, policy: string, refusal: string): Promise<void> {
  for (const identity of identitiesIn(context, policy)) {
    const created = await creationOf(context, identity);
    if (created === undefined || propagationLeft(context, created) > 0) throw new Error(refusal);
  }
}

/**
 * For policies that the real provider tries again: waits until the identities are old enough.
 * @throws Error with this message when an identity does not exist
 */
export async function untilPrincipalsAreKnown(context: AwsContext, policy: string, refusal: string): Promise<void> {
  for (const identity of identitiesIn(context, policy)) {
    const created = await creationOf(context, identity);
    if (created === undefined) throw new Error(refusal);
    await setTimeout(propagationLeft(context, created));
  }
}

/** How long, in ms, a new identity stays unknown to services other than IAM. */
export function propagationLeft({ propagationMs }: AwsContext, created: Date | undefined): number {
  return Math.max(0, (created?.getTime() ?? 0) + propagationMs - Date.now());
}

interface Identity {
  kind: string;
  name: string;
}

/** Identities of other accounts are not in this emulator. */
function identitiesIn({ accountId }: AwsContext, policy: string): Identity[] {
  const pattern = new RegExp(`^arn:[^:]+:iam::${accountId}:(role|user)/(?:.*/)?([^/]+)$`);
  const named = statementsIn(JSON.parse(policy) as PolicyDocument).flatMap(({ Principal = {} }) =>
    typeof Principal === "string" ? [] : [Principal.AWS ?? []].flat(),
  );
  return named.flatMap((arn) => {
    const [, kind, name] = pattern.exec(arn) ?? [];
    return kind === undefined || name === undefined ? [] : [{ kind, name }];
  });
}

async function creationOf(context: AwsContext, { kind, name }: Identity): Promise<Date | undefined> {
  const { iam } = clientsOf(context);
  if (kind === "user") return (await unlessMissing(iam.send(new GetUserCommand({ UserName: name }))))?.User?.CreateDate;
  return (await unlessMissing(iam.send(new GetRoleCommand({ RoleName: name }))))?.Role?.CreateDate;
}
