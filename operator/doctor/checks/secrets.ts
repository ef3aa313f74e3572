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

/** Reads the other side's secret as a command, for the shell to pass on. */
const readCommand = (view: View): string => {
  const name = parameterName(view.stack, view.side);
  return isAws(settingsOf(view).cloud)
    ? awsCommand(view, "ssm get-parameter", { name, "with-decryption": true, query: "Parameter.Value", output: "text" })
    : `${aliyunCommand(view, "oos GetSecretParameter", { Name: name, WithDecryption: "true" })} | jq -r .Parameter.Value`;
};

/** Writes the secret of the other side to this one, which has none. */
function copyCommand(view: View): string {
  const { stack, side } = view;
  if (stack.config.auth.tokenParameter === undefined) return refreshCommand(view);
  const value = `"$(${readCommand(otherOf(view))})"`;
  const name = parameterName(stack, side);
  return isAws(settingsOf(view).cloud)
    ? `${awsCommand(view, "ssm put-parameter", { name, type: "SecureString", overwrite: true })} --value ${value}`
    : `${aliyunCommand(view, "oos CreateSecretParameter", { Name: name })} --Value ${value}`;
}

const otherOf = (view: View): View => ({ ...view, side: view.side === "source" ? "destination" : "source" });

/** Adds the secret of the other side to those of this one: another bridge may use them, and a parameter may hold several. */
function addCommand(view: View): string {
  const { stack, side } = view;
  if (stack.config.auth.tokenParameter === undefined) return refreshCommand(view);
  const value = `"$(${readCommand(otherOf(view))}) $(${readCommand(view)})"`;
  const name = parameterName(stack, side);
  return isAws(settingsOf(view).cloud)
    ? `${awsCommand(view, "ssm put-parameter", { name, type: "SecureString", overwrite: true })} --value ${value}`
    : `${aliyunCommand(view, "oos UpdateSecretParameter", { Name: name })} --Value ${value}`;
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
    if (found === undefined) return [{ what: `the parameter ${name} is not there`, fix: copyCommand(view) }];
    if (found.values.length === 0) return [{ what: `the parameter ${name} is empty`, fix: copyCommand(view) }];
    if (found.isEncrypted) return [];
    return [
      {
        what: `the parameter ${name} is no SecureString: its value is stored in clear`,
        why: "Everybody who may read parameters can then sign requests to the receiver.",
        // The type of a parameter cannot be changed. The value stays, because the other side has the same.
        fix: inOrder(
          `secret="$(${readCommand(view)})"`,
          awsCommand(view, "ssm delete-parameter", { name }),
          `${awsCommand(view, "ssm put-parameter", { name, type: "SecureString" })} --value "$secret"   # then rotate it: docs/operations.md#rotating-the-signing-secret`,
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
