import { createOssDispatcher } from "../../runtime/stores/oss/client";
import { ossEndpoint } from "../../runtime/stores/oss/endpoint";
import { createOssStore } from "../../runtime/stores/oss/store";
import type { ServedSide, StoreOfSide } from "../served-side";
import type { AlibabaAccess } from "../side-access";
import { createFcInvoker } from "./functions";
import { readDeadLetters } from "./message-queue";

export function openAlibabaSide(access: AlibabaAccess, { bucket, versioning, storageClass, kmsKeyId }: StoreOfSide): ServedSide {
  const { region, credentials, originOf, ca } = access;
  const dispatcher = createOssDispatcher(ca === undefined ? {} : { ca });
  return {
    store: createOssStore({
      bucket,
      region,
      credentials,
      // Of an adopted bucket nobody has said it: then only what both kinds can do is done.
      versioned: versioning ?? true,
      endpoint: originOf(new URL(ossEndpoint(region)).hostname),
      dispatcher,
      ...(storageClass === undefined ? {} : { storageClass }),
      ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    }),
    functions: createFcInvoker(access),
    deadLetters: (queueUrl, options) => readDeadLetters({ queueUrl, originOf, credentials, dispatcher, now: Date.now }, options),
    close: () => dispatcher.close(),
  };
}
