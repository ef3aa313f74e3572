/** Trust policies: who may assume a role. https://www.alibabacloud.com/help/en/ram/user-guide/edit-the-trust-policy-of-a-ram-role */
import * as z from "zod";
import { conditionsHold } from "./conditions";
import { conditionsSchema, oneOrMore, parseDocument } from "./policy-document";

const principalSchema = z
  .strictObject({
    Service: oneOrMore(z.string().regex(/^[a-z0-9.-]+\.aliyuncs\.com$/, "must be <service>.aliyuncs.com")).optional(),
    RAM: oneOrMore(z.string().regex(/^acs:ram::\d+:.+$/, "must be acs:ram::<account>:<who>")).optional(),
    Federated: oneOrMore(z.string().min(1)).optional(),
  })
  .refine((principal) => Object.keys(principal).length > 0, "has no principal");

const documentSchema = z.strictObject({
  Version: z.literal("1"),
  Statement: z
    .array(
      z.strictObject({
        Effect: z.enum(["Allow", "Deny"]),
        Action: oneOrMore(z.literal("sts:AssumeRole")),
        Principal: principalSchema,
        Condition: conditionsSchema.optional(),
      }),
    )
    .min(1),
});

export type TrustPolicy = z.infer<typeof documentSchema>;

/** @throws ApiError 400 `MalformedPolicyDocument` */
export const parseTrustPolicy = (text: string): TrustPolicy => parseDocument(text, documentSchema);

/** Whether the policy lets a service of the cloud, e.g. `fc.aliyuncs.com`, assume the role. */
export function trustsService(policy: TrustPolicy, service: string): boolean {
  const about = policy.Statement.filter(
    ({ Effect, Principal, Condition }) =>
      [Principal.Service ?? []].flat().includes(service) && conditionsHold(Condition, {}, Effect === "Deny"),
  );
  return about.length > 0 && about.every(({ Effect }) => Effect === "Allow");
}
