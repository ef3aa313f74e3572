/** Commands that an operator can paste into a shell. */
import type { AwsAccess } from "../operated-bridge";
import { COMMAND } from "../places";
import { quoted } from "../text";
import { settingsOf, type View } from "./check";

export { quoted };

type Flags = Readonly<Record<string, string | boolean>>;

/** `--name value` for each flag, and `--name` for those that are true. */
const flagsText = (flags: Flags): string[] =>
  Object.entries(flags).flatMap(([name, value]) =>
    value === false ? [] : [`--${name}`, ...(value === true ? [] : [quoted(value)])],
  );

/** A command of the AWS CLI with the profile and the region of the side. */
export function awsCommand(view: View, action: string, flags: Flags): string {
  const { profile, region } = settingsOf(view);
  const { endpoint } = view.stack.clients[view.side].access as AwsAccess;
  const where = {
    ...(profile === undefined ? {} : { profile }),
    region,
    ...(endpoint === undefined ? {} : { "endpoint-url": endpoint }),
  };
  return ["aws", action, ...flagsText({ ...flags, ...where })].join(" ");
}

/** A command of ossutil 2 with the profile and the region of the side. https://www.alibabacloud.com/help/en/oss/developer-reference/ossutil-2-0 */
export function ossCommand(view: View, action: string, flags: Flags): string {
  const { profile, region } = settingsOf(view);
  return ["ossutil", "api", action, ...flagsText({ ...flags, ...(profile === undefined ? {} : { profile }), region })].join(" ");
}

/** A command of the Alibaba Cloud CLI with the profile and the region of the side. */
export function aliyunCommand(view: View, action: string, flags: Flags): string {
  const { profile, region } = settingsOf(view);
  return ["aliyun", action, ...flagsText({ ...flags, region, ...(profile === undefined ? {} : { profile }) })].join(" ");
}

/** Changes a setting of the stack. */
export function configCommand({ stack }: Pick<View, "stack">, path: string, value: string): string {
  return `pulumi config set --stack ${quoted(stack.name)} --path ${quoted(`crossborderbridge:${path}`)} ${quoted(value)}`;
}

/** Deploys the settings as they are. */
export function upCommand({ stack }: Pick<View, "stack">): string {
  return stack.local ? redeploy(stack) : `pulumi up --stack ${quoted(stack.name)}`;
}

/** Deploys again what somebody removed or changed by hand. */
export function refreshCommand({ stack }: Pick<View, "stack">): string {
  return stack.local ? redeploy(stack) : `pulumi up --refresh --stack ${quoted(stack.name)}`;
}

/** The engine of a local stack runs inside `npm start`. */
const redeploy = ({ name }: View["stack"]): string => `npm start -- --redeploy --stack ${quoted(name)}`;

/** A command of this program on the same stack. */
export function bridgeCommandOf({ stack }: Pick<View, "stack">, command: string): string {
  return `${COMMAND} ${command} --stack ${quoted(stack.name)}${stack.local ? " --local" : ""}`;
}

/** Several commands, to be run in this order. */
export const inOrder = (...commands: string[]): string => commands.join(" &&\n");
