/**
 * No live channel can be created here, so a bucket has none. Clients list the channels before they delete a bucket.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listlivechannel
 */
import type { Operation } from "../operation";
import { numberParameter } from "../paging";

export async function listLiveChannels(operation: Operation): Promise<void> {
  operation.permit("oss:ListLiveChannel");
  const { query } = operation.exchange;
  operation.exchange.sendXml("ListLiveChannelResult", {
    Prefix: query.get("prefix") ?? "",
    Marker: query.get("marker") ?? "",
    MaxKeys: numberParameter(query, "max-keys", { min: 1, max: 1000, fallback: 100 }),
    IsTruncated: false,
    NextMarker: "",
  });
}
