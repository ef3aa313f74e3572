/** Asks the receiver about many keys with few requests. */

import { LIMITS, type Notice, type Receipt } from "../../protocol/messages";
import { type ReceiverClient, ReceiverUnreachable } from "../../protocol/ports";

export interface Asked<T> {
  item: T;
  notice: Notice;
}

export type Answer = { receipt: Receipt } | { reason: string; attemptMayRun: boolean; retryable: boolean };

/** The notices of one request have at most this many bytes, unless one notice alone has more. So the body stays below LIMITS.bodyBytes. */
const REQUEST_BYTES = LIMITS.bodyBytes / 2;

/**
 * Sends one request where possible. A request that is refused as a whole is split in two, so that one bad notice does not fail the others.
 * @returns one answer per asked item
 */
export async function askReceiver<T>(
  receiver: ReceiverClient,
  bridgeId: string,
  asked: readonly Asked<T>[],
): Promise<[Asked<T>, Answer][]> {
  const answers: [Asked<T>, Answer][] = [];
  for (const batch of batches(asked)) answers.push(...(await post(receiver, bridgeId, batch)));
  return answers;
}

async function post<T>(receiver: ReceiverClient, bridgeId: string, batch: readonly Asked<T>[]): Promise<[Asked<T>, Answer][]> {
  try {
    const { receipts } = await receiver.post({ version: 1, bridgeId, notices: batch.map(({ notice }) => notice) });
    return batch.map((one, index) => {
      const receipt = receipts[index];
      return [
        one,
        receipt ? { receipt } : { reason: "the receiver's answer lacks this key", attemptMayRun: true, retryable: true },
      ];
    });
  } catch (error) {
    if (!(error instanceof ReceiverUnreachable)) throw error;
    if (!error.retryable && batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      return [
        ...(await post(receiver, bridgeId, batch.slice(0, middle))),
        ...(await post(receiver, bridgeId, batch.slice(middle))),
      ];
    }
    const { attemptMayRun, retryable } = error;
    return batch.map((one) => [one, { reason: error.message, attemptMayRun, retryable }]);
  }
}

function* batches<T>(asked: readonly Asked<T>[]): Generator<Asked<T>[]> {
  let batch: Asked<T>[] = [];
  let bytes = 0;
  for (const one of asked) {
    const size = Buffer.byteLength(JSON.stringify(one.notice));
    if (batch.length > 0 && (batch.length === LIMITS.notices || bytes + size > REQUEST_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
