/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity */
import type { RpcProduct } from "../api/rpc-api";
import type { Ram } from "../contracts";

/** Anybody with a valid key may ask who it belongs to. */
export function stsApi(ram: Pick<Ram, "getRole">): RpcProduct {
  return {
    version: "2015-04-01",
    operations: {
      GetCallerIdentity: ({ caller: { accountId, arn } }) => {
        const [, roleName, session] = /:assumed-role\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
        if (roleName === undefined)
          return { IdentityType: "Account", AccountId: accountId, UserId: accountId, PrincipalId: accountId, Arn: arn };
        const roleId = ram.getRole(roleName)?.roleId ?? "";
        const principalId = `${roleId}:${session}`;
        return {
          IdentityType: "AssumedRoleUser",
          AccountId: accountId,
          RoleId: roleId,
          UserId: principalId,
          PrincipalId: principalId,
          Arn: arn,
        };
      },
    },
  };
}
