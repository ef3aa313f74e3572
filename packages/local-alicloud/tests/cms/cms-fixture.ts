/** The control API of CloudMonitor with records of its own for each test, and its caller. */
import { rpcApi } from "../../src/api/rpc-api";
import { cloudMonitorApi } from "../../src/cms/cloud-monitor";
import { createSettingRecords, type SettingRecords } from "../../src/records";
import { ACCOUNT, type ApiFixture, rpcCaller, startApi } from "../api/api-fixture";

/** For the tests of a file. */
export function startCms() {
  let api: ApiFixture;
  let records: SettingRecords;
  beforeAll(async () => {
    api = await startApi({
      service: "metrics",
      handler: (call) => rpcApi(cloudMonitorApi({ accountId: ACCOUNT, records }))(call),
    });
  });
  beforeEach(() => {
    records = createSettingRecords();
  });
  afterAll(() => api.close());
  return { api: () => api, records: () => records, cms: rpcCaller(() => api.olderClient(), "2019-01-01") };
}
