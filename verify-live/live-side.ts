/** Opens the two buckets of a bridge with connections that checks can watch. */
import type { Dispatcher } from "undici";
import { storeCredentials } from "../operator/clouds/aws";
import type { AlicloudAccess, OperatedBridge, SideAccess } from "../operator/operated-bridge";
import { createAgent } from "../runtime/http/agent";
import type { ObjectStore } from "../runtime/stores/object-store";
import { type OssNetwork, ossEndpoint } from "../runtime/stores/oss/endpoint";
import { createOssStore, type OssStore } from "../runtime/stores/oss/store";
import { createS3Store } from "../runtime/stores/s3/store";
import type { LiveSide, SideName } from "./check";

interface StoreToOpen {
  bucket: string;
  versioned: boolean;
  /** The way to OSS. @default "public" */
  network?: OssNetwork | undefined;
  dispatcher: Dispatcher;
}

export function openStore(access: SideAccess, store: StoreToOpen): ObjectStore {
  if (access.cloud === "alicloud") return openOssStore(access, store);
  const { bucket, dispatcher } = store;
  const { region, endpoint } = access;
  return createS3Store({ bucket, region, credentials: storeCredentials(access), endpoint, dispatcher });
}

export function openOssStore(access: AlicloudAccess, { bucket, versioned, network, dispatcher }: StoreToOpen): OssStore {
  const { region, credentials } = access;
  const endpoint = ossEndpoint(region, network, access.originOf);
  return createOssStore({ bucket, region, credentials, versioned, endpoint, dispatcher });
}

export function liveSide(bridge: OperatedBridge, name: SideName, access: SideAccess): LiveSide {
  const { cloud, region, bucket, keyPrefix, store } = bridge[name];
  const { adopt, versioning, customDomain } = bridge.config[name];
  const dispatcher = createAgent({ ca: access.ca });
  const versioned = adopt ? undefined : (versioning ?? true);
  const network: OssNetwork = customDomain === undefined ? "public" : { customDomain };
  return {
    ...{ name, cloud, region, bucket, keyPrefix, versioned, network, access, dispatcher, store },
    open: (options) => openStore(access, { bucket, dispatcher, network, versioned: versioned ?? true, ...options }),
  };
}
