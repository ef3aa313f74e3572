/** The tests of oss2, the vendor's first SDK for Python, as its source distribution has them. */
import { judge } from "./judge";
import { pinnedVersion, pythonSuite, sourceDistribution } from "./python-suite";
import { ENDPOINT, REGION, startVendorCloud } from "./vendor-cloud";

const VERSION = pinnedVersion("oss2");

/** The files whose cases talk to OSS. The others, and `unittests`, answer themselves; `credentials_provider` needs STS. */
const FILES = [
  ...["access_point", "api_base", "async_fetch_task", "bucket", "bucket_access_monitor", "bucket_archive_direct_read"],
  ...["bucket_callback_policy", "bucket_cname", "bucket_data_redundancy_transition", "bucket_describe_regions"],
  ...["bucket_https_config", "bucket_inventory", "bucket_meta_query", "bucket_replication", "bucket_resource_group"],
  ...["bucket_style", "bucket_transfer_acceleration", "bucket_versioning", "bucket_worm", "chinese"],
  ...["crypto_multipart", "crypto_object", "download", "exception_ec", "headers", "image", "iterator", "lifecycle_versioning"],
  ...["list_objects_v2", "live_channel", "multipart", "object", "object_request_payment", "object_request_payment_versions"],
  ...["object_versioning", "public_access_block", "put_object_chunked", "qos_and_resource_pool", "qos_info", "request_payment"],
  ...["select_csv_object", "select_json_object", "server_side_encryotion", "sign", "sts", "traffic_limit", "upload", "website"],
  ...["write_get_object_response"],
];

judge(
  pythonSuite({
    id: "oss2",
    version: VERSION,
    folder: () => sourceDistribution("oss2", VERSION),
    modules: () => FILES.map((name) => `tests.test_${name}`),
    workers: 6,
    casesPerChunk: 8,
    async start() {
      const cloud = await startVendorCloud();
      const environment = {
        JUDGED_PORTS: JSON.stringify(cloud.ports),
        REQUESTS_CA_BUNDLE: cloud.caPath,
        OSS_TEST_ACCESS_KEY_ID: cloud.accessKeyId,
        OSS_TEST_ACCESS_KEY_SECRET: cloud.accessKeySecret,
        OSS_TEST_ENDPOINT: `http://${ENDPOINT}`,
        OSS_TEST_REGION: REGION,
        OSS_TEST_UID: cloud.accountId,
        OSS_TEST_AUTH_VERSION: "v4",
        OSS_TEST_STS_ARN: cloud.roleArn,
        OSS_TEST_STS_ID: cloud.accessKeyId,
        OSS_TEST_STS_KEY: cloud.accessKeySecret,
        OSS_TEST_RAM_ROLE_ARN: cloud.roleArn,
        OSS_TEST_RAM_UID: cloud.accountId,
      };
      return { environment, stop: cloud.stop };
    },
  }),
);
