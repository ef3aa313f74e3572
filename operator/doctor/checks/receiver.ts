/** The way of a request from the sender to the receiver: the endpoint, the ICP licence, the allowlist. */
import { GetRestApiCommand } from "@aws-sdk/client-api-gateway";
import { DescribeAddressesCommand } from "@aws-sdk/client-ec2";
import ipaddr from "ipaddr.js";
import { isAws } from "../../../components/config/clouds";
import { parseEnv } from "../../../runtime/protocol/env";
import { at, isObject, parseJson } from "../../../runtime/protocol/json";
import { alicloudOf, awsOf, type Check, type CheckedStack, settingsOf, Unchecked, type View } from "../check";
import { unlessCode } from "../clouds/aws";
import { connectionFailure, type EndpointAnswer, lookAt } from "../clouds/look";
import { configCommand, inOrder, quoted, refreshCommand, upCommand } from "../paste";
import { parsePolicy } from "../policy";

const destination = ["destination"] as const;
const isPull = ({ config }: CheckedStack): boolean => config.mode === "pull";

/** One request serves both checks. */
const knocks = new WeakMap<CheckedStack, Promise<EndpointAnswer>>();

/** An empty request without a signature. The receiver, or the platform before it, refuses it, and nothing changes. */
function knock({ stack, side, signal }: View): Promise<EndpointAnswer> {
  const url = new URL(stack.outputs?.receiverUrl ?? "");
  const { ca } = stack.clients[side].access;
  const answer = knocks.get(stack) ?? lookAt(url.origin, { method: "POST", path: url.pathname, ca, now: stack.now, signal });
  knocks.set(stack, answer);
  return answer;
}

/** API Gateway's answer for a method or a stage that does not exist, and with `auth: iam` for every request without a signature. */
const NO_SUCH_METHOD = /^Missing Authentication Token$/;
/** Null is a message too. */
const messageIn = ({ body }: EndpointAnswer): unknown => {
  const answer = parseJson(body);
  const message = at(answer, "message");
  return message === undefined ? at(answer, "Message") : message;
};

const receiver: Check = {
  name: "receiver",
  looksAt: "the receiver's URL, by an empty request without a signature: something is deployed there, and it answers",
  why: "The sender reaches the other side only through this URL: all keys wait in the outage queue.",
  when: "after",
  needs: [],
  sides: (stack) => (isPull(stack) ? destination : []),
  async run(view) {
    const url = view.stack.outputs?.receiverUrl ?? "";
    const answer = await knock(view).catch((error: unknown) => {
      view.signal.throwIfAborted();
      return connectionFailure(error);
    });
    if ("kind" in answer)
      return [
        {
          what: `the receiver ${url} cannot be reached from here: ${answer.code}`,
          fix: answer.kind === "name" ? refreshCommand(view) : `curl -sS -X POST ${quoted(url)}   # until it answers`,
        },
      ];
    const isMissing =
      answer.status === 404 || (view.stack.config.auth.kind === "token" && NO_SUCH_METHOD.test(String(messageIn(answer))));
    if (isMissing) return [{ what: `nothing is deployed at ${url} (HTTP ${answer.status})`, fix: refreshCommand(view) }];
    if (answer.status < 500) return [];
    return [
      {
        what: `the receiver ${url} answers HTTP ${answer.status}: its function fails or may not be invoked`,
        fix: refreshCommand(view),
      },
    ];
  },
};

const icp: Check = {
  name: "icp",
  looksAt: "whether API Gateway in AWS China serves requests without an AWS signature to this account",
  why: "AWS China answers 403 to such requests unless the account has an ICP licence: nothing is replicated.",
  when: "after",
  needs: ["receiver"],
  sides: (stack) => {
    const { config } = stack;
    return isPull(stack) && config.destination.cloud === "aws-cn" && config.auth.kind === "token" ? destination : [];
  },
  async run(view) {
    const answer = await knock(view);
    // A refusal by the allowlist names the action and the resource.
    if (answer.status !== 403 || !isPlatformRefusal(messageIn(answer), answer.body)) return [];
    return [
      {
        what: `API Gateway in ${settingsOf(view).region} answers 403 ${answer.body.trim()} before the receiver: the account has no ICP licence`,
        fix: inOrder(configCommand(view, "auth.kind", "iam"), upCommand(view)),
      },
    ];
  },
};

/** `{"message":null}` or `Forbidden`. */
const isPlatformRefusal = (message: unknown, body: string): boolean =>
  message === null || message === "Forbidden" || body.trim() === "Forbidden";

/** Ranges that no request over the internet comes from. */
const NOT_PUBLIC: ReadonlySet<string> = new Set([
  "private",
  "loopback",
  "linkLocal",
  "carrierGradeNat",
  "unspecified",
  "multicast",
]);

const isPublic = (cidr: string): boolean => cidr.endsWith("/0") || !NOT_PUBLIC.has(ipaddr.parseCIDR(cidr)[0].range());

const allowlist: Check = {
  name: "allowlist",
  looksAt: "`allowedCidrs`: whether a request that comes over the internet can be in it",
  why: "The receiver refuses every other address with 403, and all keys wait in the outage queue.",
  when: "always",
  needs: [],
  sides: (stack) => (isPull(stack) && stack.config.egress === "shared" ? destination : []),
  unavailable: ({ local }) => (local ? "the local clouds are on loopback" : undefined),
  async run(view) {
    const { allowedCidrs, source } = view.stack.config;
    if (allowedCidrs.some(isPublic)) return [];
    return [
      {
        what: `allowedCidrs has only private networks (${allowedCidrs.join(", ")}), and the sender comes from a public address`,
        fix: isAws(source.cloud)
          ? inOrder(configCommand(view, "egress", "static"), upCommand(view))
          : inOrder(configCommand(view, "allowedCidrs[0]", "<the network that the sender leaves by>"), upCommand(view)),
      },
    ];
  },
};

const allowlistDeployed: Check = {
  name: "allowlist-deployed",
  looksAt: "the allowlist that is deployed, against `allowedCidrs` and with `egress: static` against the sender's own address",
  why: "The receiver refuses an address that is not deployed in it, and accepts one that somebody added by hand.",
  when: "after",
  needs: ["credentials"],
  sides: (stack) => (isPull(stack) ? destination : []),
  async run(view) {
    const { config } = view.stack;
    const deployed = isAws(config.destination.cloud) ? await gatewayCidrs(view) : await receiverCidrs(view);
    const address = config.egress === "static" ? await senderAddress(view) : [];
    const wanted = [...config.allowedCidrs, ...address];
    const missing = wanted.filter((cidr) => !deployed.includes(cidr));
    // With `egress: static` the address is one more than the settings have; which one is known only where it could be read.
    const added = deployed.filter((cidr) => !wanted.includes(cidr));
    return [
      ...missing.map((cidr) => ({
        what: address.includes(cidr)
          ? `the sender sends from ${cidr}, and the deployed allowlist has ${deployed.join(", ") || "no network"}`
          : `allowedCidrs has ${cidr}, and the deployed allowlist does not`,
        fix: refreshCommand(view),
      })),
      ...added.map((cidr) => ({
        what: `the deployed allowlist has ${cidr}, and the settings do not`,
        fix: refreshCommand(view),
      })),
    ];
  },
};

/** `https://<id>.execute-api.<region>.amazonaws.com/v1/notices`, or with the id in the path. */
export function apiIdIn(url: string): string | undefined {
  return /^https:\/\/([a-z0-9]+)\.execute-api\./.exec(url)?.[1] ?? /\/execute-api\/([a-z0-9]+)\//.exec(url)?.[1];
}

/** https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApi.html */
async function gatewayCidrs(view: View): Promise<string[]> {
  const url = view.stack.outputs?.receiverUrl ?? "";
  const restApiId = apiIdIn(url);
  if (restApiId === undefined) throw new Unchecked(`${url} is no URL of API Gateway`);
  const command = new GetRestApiCommand({ restApiId });
  const found = await unlessCode(/^NotFoundException$/, awsOf(view).apiGateway.send(command, { abortSignal: view.signal }));
  if (found === undefined) throw new Unchecked(`the API ${restApiId} is gone: see the check receiver`);
  // The policy comes as the inside of a JSON text.
  const text = found.policy ?? "";
  const { Statement } = parsePolicy(text.startsWith("{\\") ? String(parseJson(`"${text}"`)) : text);
  return Statement.filter(({ Effect }) => Effect === "Deny").flatMap(({ Condition }) =>
    [at(at(Condition, "NotIpAddress"), "aws:SourceIp") ?? []].flat().map(String),
  );
}

/** A receiver of Function Compute checks addresses itself: the allowlist is in its environment. */
async function receiverCidrs(view: View): Promise<string[]> {
  const name = view.stack.outputs?.receiverFunctionName ?? "";
  const found = await alicloudOf(view).functionCompute("GetFunction", `/functions/${encodeURIComponent(name)}`, view.signal);
  const variables = at(found, "environmentVariables");
  if (!isObject(variables)) throw new Unchecked(`the receiver ${name} has no environment: see the check functions`);
  return parseEnv("receiver", variables as Record<string, string>).allowedCidrs;
}

/** The addresses of the sender's NAT gateway, tagged by `components/aws/static-egress.ts`. */
async function senderAddress(view: View): Promise<string[]> {
  const { stack } = view;
  const command = new DescribeAddressesCommand({
    Filters: [{ Name: "tag:Name", Values: [`crossborderbridge-${stack.config.name}`] }],
  });
  const source = awsOf({ ...view, side: "source" });
  const { Addresses = [] } = await source.ec2.send(command, { abortSignal: view.signal });
  const found = Addresses.flatMap(({ PublicIp }) => (PublicIp === undefined ? [] : [`${PublicIp}/32`]));
  if (found.length === 0)
    throw new Unchecked(`the sender has no address with the tag Name=crossborderbridge-${stack.config.name}`);
  return found;
}

export const RECEIVER_CHECKS: readonly Check[] = [receiver, icp, allowlist, allowlistDeployed];
