/** Every check, in the order in which a run makes them: reads first, disturbances last. */
import type { Check } from "../check";
import { cloudMonitorAlarms } from "./alicloud-bridge";
import { ANY_STORE_CHECKS } from "./any-store";
import { alarmRings, alarmsExist, metricsArrive, outageHeals, roleRights } from "./aws-bridge";
import {
  destroyIsComplete,
  executionsEnd,
  firstDeployment,
  operatorReads,
  planIsStable,
  probeLatency,
  receiverRefusesStrangers,
} from "./bridge";
import { OSS_CHECKS } from "./oss";
import { pairAttributes, pairChanges, pairKeys, pairLarge, pairRefused } from "./pair";
import { S3_CHECKS } from "./s3";

export const CHECKS: readonly Check[] = [
  firstDeployment,
  planIsStable,
  ...ANY_STORE_CHECKS,
  ...S3_CHECKS,
  ...OSS_CHECKS,
  pairKeys,
  pairAttributes,
  pairChanges,
  pairLarge,
  operatorReads,
  alarmsExist,
  cloudMonitorAlarms,
  roleRights,
  receiverRefusesStrangers,
  probeLatency,
  metricsArrive,
  pairRefused,
  alarmRings,
  outageHeals,
  executionsEnd,
  destroyIsComplete,
];
