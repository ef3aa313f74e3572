/** Hosts of OSS: transfer acceleration, the public hosts of the Chinese mainland, and custom domains. */
import { isMainland } from "../../../components/config/clouds";
import {
  alicloudOf,
  alicloudSides,
  bucketOf,
  bucketText,
  type Check,
  type CheckedStack,
  hasBucket,
  type Problem,
  type SideName,
  settingsOf,
  type View,
} from "../check";
import { connectionFailure, lookAt } from "../clouds/look";
import { configCommand, inOrder, ossCommand, upCommand } from "../paste";

const accelerated = ({ config }: CheckedStack, side: SideName): boolean => (config[side].acceleration ?? "none") !== "none";

const acceleration: Check = {
  name: "acceleration",
  looksAt: "transfer acceleration of the bucket, where the settings use it",
  why: "OSS answers AccessDenied at an accelerated host of a bucket that does not have it: no object can be read or written there.",
  when: "always",
  needs: ["bucket"],
  sides: (stack) => alicloudSides(stack).filter((side) => accelerated(stack, side) && hasBucket(stack, side)),
  async run(view) {
    const bucket = bucketOf(view);
    const none = /^NoSuchTransferAccelerationConfiguration$/;
    const answer = await alicloudOf(view).setting(bucket, { transferAcceleration: null }, none, view.signal);
    if (answer?.document?.textOf("Enabled") === "true") return [];
    return [
      {
        what: `transfer acceleration is off for ${bucketText(view)}, and ${view.side}.acceleration is ${settingsOf(view).acceleration}`,
        fix: `${ossCommand(view, "put-bucket-transfer-acceleration", { bucket, "transfer-acceleration-configuration": '{"Enabled":true}' })}   # takes up to 30 minutes`,
      },
    ];
  },
};

/** Sides whose objects are read or written from outside of the region, over the region's public host. */
function usesPublicHost(stack: CheckedStack, side: SideName): boolean {
  const { config } = stack;
  const { region, customDomain } = config[side];
  if (customDomain !== undefined || accelerated(stack, side) || !isMainland(region)) return false;
  if (config.mode === "pull") return side === "source";
  return config.mode === "push" && side === "destination" && region !== config.source.region;
}

const mainlandEndpoint: Check = {
  name: "mainland-endpoint",
  looksAt: "whether OSS serves objects of a mainland region to this account at the public host",
  why: "Accounts that activated OSS since 2025-03-20 get PublicEndpointForbidden there: the other side can read or write nothing.",
  when: "always",
  needs: ["bucket"],
  sides: (stack) => alicloudSides(stack).filter((side) => hasBucket(stack, side) && usesPublicHost(stack, side)),
  async run(view) {
    const listing = { "list-type": "2", "max-keys": "1" };
    const { code } = await alicloudOf(view).bucket(bucketOf(view), listing, view.signal);
    if (code !== "PublicEndpointForbidden") return [];
    return [
      {
        what: `OSS refuses objects of ${bucketText(view)} at the public host: PublicEndpointForbidden`,
        fix: inOrder(configCommand(view, `${view.side}.customDomain`, "<a domain that is bound to the bucket>"), upCommand(view)),
      },
    ];
  },
};

/** A header that only OSS sends, on refusals as well. */
const OSS_HEADER = "x-oss-request-id";

const customDomain: Check = {
  name: "custom-domain",
  looksAt: "`customDomain`: that its name resolves, its certificate is valid, and it leads to the bucket",
  why: "The other side reads or writes the objects over this domain. Until it works, keys wait.",
  when: "always",
  needs: [],
  sides: (stack) => alicloudSides(stack).filter((side) => stack.config[side].customDomain !== undefined),
  unavailable: ({ local }) => (local ? "the local Alibaba Cloud has no custom domains" : undefined),
  async run(view) {
    const { access } = alicloudOf(view);
    const domain = settingsOf(view).customDomain ?? "";
    const answer = await lookAt(access.originOf(domain), { ca: access.ca, now: view.stack.now, signal: view.signal }).catch(
      (error: unknown) => {
        view.signal.throwIfAborted();
        return connectionFailure(error);
      },
    );
    if ("kind" in answer) return [unreachableDomain(view, domain, answer)];
    if (answer.headers[OSS_HEADER] === undefined)
      return [{ what: `${domain} leads to another server than OSS (HTTP ${answer.status})`, fix: cnameStep(view, domain) }];
    if (!/<Code>NoSuchCname<\/Code>/.test(answer.body)) return [];
    const bind = { bucket: bucketOf(view), "cname-configuration": JSON.stringify({ Cname: { Domain: domain } }) };
    return [{ what: `${domain} is not bound to ${bucketText(view)} (NoSuchCname)`, fix: ossCommand(view, "put-cname", bind) }];
  },
};

const cnameStep = (view: View, domain: string): string =>
  `in the DNS of ${domain}: CNAME ${domain} -> ${bucketOf(view)}.oss-${settingsOf(view).region}.aliyuncs.com`;

function unreachableDomain(view: View, domain: string, { kind, code }: ReturnType<typeof connectionFailure>): Problem {
  switch (kind) {
    case "name":
      return { what: `the name ${domain} cannot be resolved (${code})`, fix: cnameStep(view, domain) };
    case "certificate":
      return {
        what: `${domain} shows a certificate that is not for it (${code})`,
        fix: `upload a certificate for ${domain} in OSS's console: the bucket, Bucket Settings, Domain Names, Certificate Hosting`,
      };
    case "connection":
      return { what: `no connection to ${domain} (${code})`, fix: cnameStep(view, domain) };
  }
}

export const OSS_CHECKS: readonly Check[] = [acceleration, mainlandEndpoint, customDomain];
