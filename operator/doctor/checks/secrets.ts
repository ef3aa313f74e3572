/** The signing secrets of both sides. They are compared here and never shown, nor is a part of them. */
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { isAws } from "../../../components/config/clouds";
import { at, textAt } from "../../../runtime/protocol/json";
import { isBridgeError } from "../../../runtime/stores/errors";
import {
  alicloudOf,
  awsOf,
  type Check,
  type CheckedStack,
  type Problem,
  SIDES,
  type SideName,
  settingsOf,
  type View,
} from "../check";
import { unlessCode } from "../clouds/aws";
import { aliyunCommand, awsCommand, inOrder, refreshCommand } from "../paste";

/** The parameter of a side, as `components/aws/account.ts` and `components/alicloud/names.ts` name it. */
export function parameterName({ config }: Pick<CheckedStack, "config">, side: SideName): string {
  const { tokenParameter } = config.auth;
  if (tokenParameter !== undefined) return tokenParameter;
  const name = `crossborderbridge/${config.name}/${side}/token`;
  return isAws(config[side].cloud) ? `/${name}` : name;
}

interface Secret {
  values: readonly string[];
  isEncrypted: boolean;
}

/** @returns undefined where the parameter is missing */
async function readSecret(view: View): Promise<Secret | undefined> {
  const name = parameterName(view.stack, view.side);
  return isAws(settingsOf(view).cloud) ? readSsm(view, name) : readOos(view, name);
}

const valuesIn = (text: string): string[] => text.split(/\s+/).filter((value) => value !== "");

async function readSsm(view: View, Name: string): Promise<Secret | undefined> {
  const command = new GetParameterCommand({ Name, WithDecryption: true });
  const found = await unlessCode(/^ParameterNotFound$/, awsOf(view).ssm.send(command, { abortSignal: view.signal }));
  if (found === undefined) return undefined;
  return { values: valuesIn(found.Parameter?.Value ?? ""), isEncrypted: found.Parameter?.Type === "SecureString" };
}

/** https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-getsecretparameter */
async function readOos(view: View, Name: string): Promise<Secret | undefined> {
  const { region } = settingsOf(view);
  const query = { RegionId: region, Name, WithDecryption: "true" };
  const call = { host: `oos.${region}.aliyuncs.com`, action: "GetSecretParameter", version: "2019-06-01", query };
  try {
    const body = await alicloudOf(view).read({ ...call, signal: view.signal });
    return { values: valuesIn(textAt(at(body, "Parameter"), "Value") ?? ""), isEncrypted: true };
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Before a deployment only a parameter of the operator's own is there. */
const hasSecrets = ({ config, outputs }: CheckedStack): boolean =>
  config.mode === "pull" && (outputs !== undefined || config.auth.tokenParameter !== undefined);

/** Puts the secret of a side into a variable of the shell. It fails where there is none. */
const readInto = (variable: string, view: View): string => {
  const name = parameterName(view.stack, view.side);
  const read = isAws(settingsOf(view).cloud)
    ? awsCommand(view, "ssm get-parameter", { name, "with-decryption": true, query: "Parameter.Value", output: "text" })
    : `${aliyunCommand(view, "oos GetSecretParameter", { Name: name, WithDecryption: "true" })} | jq -er .Parameter.Value`;
  return `${variable}="$(${read})"`;
};

/**
 * Writes variables of the shell to the parameter of a side. The value comes from standard input: every user of the machine sees arguments.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html, https://github.com/aliyun/aliyun-cli/blob/master/openapi/rpc.go
 */
function writeFrom(variables: string, view: View, isThere: boolean): string {
  const name = parameterName(view.stack, view.side);
  const write = isAws(settingsOf(view).cloud)
    ? awsCommand(view, "ssm put-parameter", { name, type: "SecureString", overwrite: isThere, value: "file:///dev/stdin" })
    : aliyunCommand(view, `oos ${isThere ? "Update" : "Create"}SecretParameter`, { Name: name, "Value-FILE": "/dev/stdin" });
  return `printf %s "${variables}" | ${write}`;
}

/** Writes the secret of the other side to this one, which has none. If neither has one, both get a new one. */
async function copyCommand(view: View, isThere: boolean): Promise<string> {
  if (view.stack.config.auth.tokenParameter === undefined) return refreshCommand(view);
  const other = otherOf(view);
  if (!(await lacksSecret(other))) return inOrder(readInto("secret", other), writeFrom("$secret", view, isThere));
  return inOrder('secret="$(openssl rand -base64 32)"', writeFrom("$secret", view, isThere), writeFrom("$secret", other, false));
}

/** False for a side that cannot be read: its own checks say why. */
async function lacksSecret(view: View): Promise<boolean> {
  try {
    return (await readSecret(view)) === undefined;
  } catch (error) {
    if (view.signal.aborted) throw error;
    return false;
  }
}

const otherOf = (view: View): View => ({ ...view, side: view.side === "source" ? "destination" : "source" });

/** Adds the secret of the other side to those of this one: another bridge may use them, and a parameter may hold several. */
function addCommand(view: View): string {
  if (view.stack.config.auth.tokenParameter === undefined) return refreshCommand(view);
  return inOrder(readInto("other", otherOf(view)), readInto("own", view), writeFrom("$other $own", view, true));
}

const secret: Check = {
  name: "secret",
  looksAt: "the parameter with the signing secrets: that it is there, and encrypted",
  why: "A function without the secret can sign or check no request: all keys wait.",
  when: "always",
  needs: ["credentials"],
  sides: (stack) => (hasSecrets(stack) ? SIDES : []),
  async run(view) {
    const name = parameterName(view.stack, view.side);
    const found = await readSecret(view);
    if (found === undefined) return [{ what: `the parameter ${name} is not there`, fix: await copyCommand(view, false) }];
    if (found.values.length === 0) return [{ what: `the parameter ${name} is empty`, fix: await copyCommand(view, true) }];
    if (found.isEncrypted) return [];
    return [
      {
        what: `the parameter ${name} is no SecureString: its value is stored in clear`,
        why: "Everybody who may read parameters can then sign requests to the receiver.",
        // Overwriting is one step: the parameter is never absent. The value stays, because the other side has the same.
        fix: inOrder(
          readInto("secret", view),
          `${writeFrom("$secret", view, true)}   # then rotate it: docs/operations.md#a-secret-in-clear-text`,
        ),
      },
    ];
  },
};

const sameSecret: Check = {
  name: "same-secret",
  looksAt: "the signing secrets of both sides: that they have one in common",
  why: "The receiver answers 401 to every request of the sender, and all keys wait in the outage queue.",
  when: "always",
  needs: ["secret"],
  sides: (stack) => (hasSecrets(stack) ? ["destination"] : []),
  async run(view): Promise<Problem[]> {
    const sender = await readSecret({ ...view, side: "source" });
    const receiver = await readSecret(view);
    // A missing one is a finding of the check `secret`.
    if (sender === undefined || receiver === undefined) return [];
    if (sender.values.some((value) => receiver.values.includes(value))) return [];
    return [{ what: "the signing secrets of the source and the destination differ", fix: addCommand(view) }];
  },
};

export const SECRET_CHECKS: readonly Check[] = [secret, sameSecret];
