/**
 * Permissions that the vendor's services need for their own calls, by their documentation. The local cloud makes no such calls, so no test
 * run can show that these grants are needed.
 */

import { DEFAULT_ACCOUNT_ID as ACCOUNT_ID } from "local-alicloud";
import { logProjectName } from "../../../components/alicloud/names";
import { PROBER_PARTS, type ProberPart } from "../../../components/prober";
import { type BridgeSpec, DESTINATION_KEY, REGIONS, SOURCE_KEY } from "./ram-bridges";
import type { Need } from "./ram-declared";

type Function = "sender" | "receiver" | "copier" | "dispatcher" | "pusher";
type Part = Function | "flow" | "events" | "replication" | ProberPart;

type Side = "source" | "destination";
const KEYS: Record<Side, string> = { source: SOURCE_KEY, destination: DESTINATION_KEY };

export function vendorCalls({ name, mode }: BridgeSpec): Need[] {
  const regions = REGIONS[mode];
  const need = (part: Part, action: string, resource: string): Need => ({
    roleName: `crossborderbridge-${name}-${part}`,
    action,
    resource,
  });

  /** https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/grant-function-compute-permissions-to-access-other-alibaba-cloud-services */
  const log = (part: Part, side: Side, store: Side | ProberPart = side) => {
    const project = logProjectName(name, store, ACCOUNT_ID);
    return need(part, "log:PostLogStoreLogs", `acs:log:${regions[side]}:${ACCOUNT_ID}:project/${project}/logstore/functions`);
  };

  /** https://www.alibabacloud.com/help/en/oss/developer-reference/get-object */
  const decrypt = (part: Part) => need(part, "kms:Decrypt", `acs:kms:${regions.source}:${ACCOUNT_ID}:key/${SOURCE_KEY}`);
  /** https://www.alibabacloud.com/help/en/oss/developer-reference/put-object */
  const encrypt = (part: Part, side: Side = "destination") =>
    ["kms:GenerateDataKey", "kms:Decrypt"].map((action) =>
      need(part, action, `acs:kms:${regions[side]}:${ACCOUNT_ID}:key/${KEYS[side]}`),
    );

  /**
   * Triggers and CloudFlow name the version. A call without one invokes LATEST too, and the documentation does not say which name RAM checks.
   * https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/developer-reference/api-fc-2023-03-30-invokefunction
   */
  const invoke = (part: Part, callee: Function, side: Side = "source") =>
    need(part, "fc:InvokeFunction", `acs:fc:${regions[side]}:${ACCOUNT_ID}:functions/crossborderbridge-${name}-${callee}/LATEST`);

  /** https://www.alibabacloud.com/help/en/oss/user-guide/introduction-to-data-replication-permissions names both kinds of resource for each. */
  const replicate = (side: Side, kind: "" | "/in/key", ...actions: string[]) =>
    actions.map((action) =>
      need("replication", `oss:Replicate${action}`, `acs:oss:${regions[side]}:${ACCOUNT_ID}:ram-${name}-${side}${kind}`),
    );

  const probers = [
    ...(["source", "destination"] as const).map((side) => log(PROBER_PARTS[side], side, PROBER_PARTS[side])),
    // The prober at the destination only reads.
    ...encrypt(PROBER_PARTS.source, "source"),
  ];

  switch (mode) {
    case "push":
      return [
        ...probers,
        log("dispatcher", "source"),
        log("pusher", "source"),
        invoke("flow", "pusher"),
        invoke("events", "dispatcher"),
        invoke("pusher", "dispatcher"),
        decrypt("pusher"),
        ...encrypt("pusher"),
      ];
    case "pull":
      return [
        ...probers,
        log("sender", "source"),
        log("receiver", "destination"),
        log("copier", "destination"),
        invoke("events", "sender"),
        invoke("sender", "sender"),
        invoke("receiver", "copier", "destination"),
        // A presigned URL reads with the permissions of its signer.
        decrypt("sender"),
        ...encrypt("receiver"),
        ...encrypt("copier"),
      ];
    case "native":
      return [
        ...probers,
        ...replicate("source", "", "Get"),
        ...replicate("source", "/in/key", "List"),
        ...replicate("destination", "", "List", "Get", "Put", "Delete"),
        ...replicate("destination", "/in/key", "List"),
        // https://www.alibabacloud.com/help/en/oss/user-guide/crr-in-specific-scenarios
        decrypt("replication"),
        ...encrypt("replication"),
      ];
  }
}

/** Calls that only an outage needs, of the other side or of CloudFlow. `tests/simulation/scenarios/push-outage.test.ts` makes them. */
export function outageCalls({ name, mode }: BridgeSpec): Need[] {
  const need = (part: "sender" | "pusher" | "dispatcher", action: string, queue: "queue" | "outage"): Need => ({
    roleName: `crossborderbridge-${name}-${part}`,
    action,
    resource: `acs:mns:${REGIONS[mode].source}:${ACCOUNT_ID}:/queues/crossborderbridge-${name}-${queue}/messages`,
  });
  if (mode === "native") return [];
  if (mode === "pull")
    return [
      need("sender", "mns:BatchSendMessage", "outage"),
      need("sender", "mns:SendMessage", "queue"),
      // When more keys are held than a probe takes.
      need("sender", "mns:BatchSendMessage", "queue"),
    ];
  return [
    need("pusher", "mns:BatchSendMessage", "outage"),
    need("pusher", "mns:SendMessage", "queue"),
    need("dispatcher", "mns:SendMessage", "queue"),
  ];
}
