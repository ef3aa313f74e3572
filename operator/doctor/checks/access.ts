/** Whether this machine can talk to both sides at all: the network, the clock and the credentials. */
import { ControlError } from "../../../runtime/platforms/alicloud-fc/errors";
import { isBridgeError } from "../../../runtime/stores/errors";
import { type Check, type Problem, SIDES, settingsOf, type View } from "../check";
import { awsCode } from "../clouds/aws";
import { connectionFailure, lookAt } from "../clouds/look";
import { configCommand, quoted } from "../paste";

const look = ({ stack, side, signal }: View) => {
  const clients = stack.clients[side];
  return lookAt(clients.storeOrigin(), { ca: clients.access.ca, now: stack.now, signal });
};

const reachable: Check = {
  name: "reachable",
  looksAt: "whether the store's endpoint answers: its name, the connection, its certificate",
  why: "Neither `pulumi up` nor a command of the operator can work on this side from this machine.",
  when: "always",
  needs: [],
  sides: () => SIDES,
  async run(view) {
    const origin = view.stack.clients[view.side].storeOrigin();
    try {
      await look(view);
      return [];
    } catch (error) {
      view.signal.throwIfAborted();
      return [unreachable(origin, connectionFailure(error))];
    }
  },
};

function unreachable(origin: string, { kind, code }: ReturnType<typeof connectionFailure>): Problem {
  const { host, hostname } = new URL(origin);
  const retry = `curl -sSI ${quoted(`${origin}/`)}`;
  switch (kind) {
    case "name":
      return {
        what: `the name ${hostname} cannot be resolved (${code})`,
        fix: `correct the region in the settings, or the DNS of this machine, until this answers: ${retry}`,
      };
    case "certificate":
      return {
        what: `${host} shows a certificate that this machine does not trust (${code}): most likely a proxy opens TLS`,
        fix: "export NODE_EXTRA_CA_CERTS=/path/to/the-proxy-ca.pem",
      };
    case "connection":
      return {
        what: `no connection to ${host} (${code})`,
        fix: `let this machine connect to ${host}, without a proxy, until this answers: ${retry}`,
      };
  }
}

/** AWS and OSS refuse a signature that is 15 minutes off. */
const REFUSED_SKEW_MINUTES = 15;
const LARGEST_SKEW_MS = 5 * 60_000;

const clock: Check = {
  name: "clock",
  looksAt: "the clock of this machine against that of the store",
  why: `The clouds refuse a signature that is ${REFUSED_SKEW_MINUTES} minutes off, and say only that it does not match.`,
  when: "always",
  needs: ["reachable"],
  sides: () => SIDES,
  async run(view) {
    const { aheadMs } = await look(view);
    if (aheadMs === undefined || Math.abs(aheadMs) < LARGEST_SKEW_MS) return [];
    const minutes = Math.round(Math.abs(aheadMs) / 60_000);
    return [
      {
        what: `the clock of this machine is ${minutes} minutes ${aheadMs > 0 ? "behind" : "ahead of"} that of the ${view.side}`,
        fix: "sudo timedatectl set-ntp true",
      },
    ];
  },
};

const credentials: Check = {
  name: "credentials",
  looksAt: "your credentials for the side, and the account that they belong to",
  why: "`pulumi up` and the commands use them. Those of another account would create or read other resources.",
  when: "always",
  needs: ["reachable", "clock"],
  sides: () => SIDES,
  async run(view) {
    const clients = view.stack.clients[view.side];
    const { accountId: wanted } = settingsOf(view);
    try {
      const found = clients.kind === "aws" ? (await clients.identity()).accountId : await clients.accountId(view.signal);
      if (wanted === undefined || wanted === found) return [];
      return [
        {
          what: `the credentials belong to the account ${found}, and ${view.side}.accountId is ${wanted}`,
          fix: `use credentials of ${wanted} (${logIn(view)}), or: ${configCommand(view, `${view.side}.accountId`, found)}`,
        },
      ];
    } catch (error) {
      const what = refusalOf(view, error);
      if (what === undefined) throw error;
      return [{ what, fix: logIn(view) }];
    }
  },
};

/** The refusal of the credentials in words; undefined for any other error. */
function refusalOf(view: View, error: unknown): string | undefined {
  const { cloud, region, profile } = settingsOf(view);
  const whose = profile === undefined ? "the credentials of the environment" : `the credentials of the profile ${profile}`;
  const place = `${cloud}, ${region}`;
  if (error instanceof Error && error.name === "CredentialsProviderError") return `there are no credentials for ${place}`;
  if (isBridgeError(error, "PermissionDenied") && error.op === "credentials") return error.message;
  const code = awsCode(error) ?? (error instanceof ControlError ? error.code : undefined);
  if (code === undefined) return undefined;
  if (/Expired/.test(code)) return `${whose} have expired (${place}: ${code})`;
  const refused =
    /InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|InvalidSecurityToken|IncompleteSignature|AuthFailure/;
  return refused.test(code) ? `${whose} are refused (${place}: ${code})` : undefined;
}

function logIn(view: View): string {
  const { cloud, profile } = settingsOf(view);
  const named = profile === undefined ? "" : ` --profile ${quoted(profile)}`;
  return cloud === "alicloud" ? `aliyun configure${named}` : `aws configure${named}`;
}

export const ACCESS_CHECKS: readonly Check[] = [reachable, clock, credentials];
