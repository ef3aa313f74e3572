/** Secret parameters of OOS. */
import * as z from "zod";
import { BridgeError } from "../../stores/errors";
import type { ControlApi } from "./control-api";

const answerSchema = z.object({ Parameter: z.object({ Value: z.string().min(1) }) });

/**
 * https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-getsecretparameter
 * @returns for a name, a function that reads the value; rejects with a BridgeError that names the parameter, never its value
 */
export function readParameters(api: ControlApi, region: string): (name: string) => () => Promise<string> {
  return (name) => async () => {
    const what = `the OOS secret parameter ${name} cannot be read`;
    const { body } = await api.call({
      op: "secret",
      what,
      action: "GetSecretParameter",
      version: "2019-06-01",
      query: { RegionId: region, Name: name, WithDecryption: "true" },
    });
    const parsed = answerSchema.safeParse(body);
    if (!parsed.success) throw new BridgeError("NotFound", "secret", `${what}: it has no value`);
    return parsed.data.Parameter.Value;
  };
}
