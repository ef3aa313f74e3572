/** The tests of the vendor's two Go SDKs, as their modules have them. */
import { goSuite } from "./go-suite";
import { judge } from "./judge";
import { ENDPOINT, REGION, type VendorCloud } from "./vendor-cloud";

const common = ({ accessKeyId, accessKeySecret, ports }: VendorCloud) => ({
  OSS_TEST_ACCESS_KEY_ID: accessKeyId,
  OSS_TEST_ACCESS_KEY_SECRET: accessKeySecret,
  OSS_TEST_REGION: REGION,
  OSS_TEST_ENDPOINT: `http://${ENDPOINT}:${ports[ENDPOINT]}`,
});

judge(
  goSuite({
    id: "alibabacloud-oss-go-sdk-v2",
    module: "github.com/aliyun/alibabacloud-oss-go-sdk-v2",
    version: "v1.5.1",
    sum: "h1:vtiFd0hhPAbyYJjztl0wYUq/PqEGkIlDmVuTIy6zw8Y=",
    tags: "integration",
    files: ["client_integration_test.go"],
    runner: "testing",
    cloud: { blocksPublicAccess: true },
    environment: (cloud) => ({ ...common(cloud), OSS_TEST_RAM_ROLE_ARN: cloud.roleArn, OSS_TEST_RAM_UID: cloud.accountId }),
  }),
);

judge(
  goSuite({
    id: "aliyun-oss-go-sdk",
    module: "github.com/aliyun/aliyun-oss-go-sdk",
    version: "v3.0.2+incompatible",
    sum: "h1:8psS8a+wKfiLt1iVDX79F7Y6wUM49Lcha2FMXt4UM8g=",
    modFiles: "aliyun-oss-go-sdk",
    files: [
      "bucket_test.go",
      "client_test.go",
      "download_test.go",
      "livechannel_test.go",
      "multicopy_test.go",
      "multipart_test.go",
      "progress_test.go",
      "select_csv_objcet_test.go",
      "select_json_object_test.go",
      "upload_test.go",
      "bucket_credential_test.go",
    ],
    runner: "gocheck",
    environment: (cloud) => ({
      ...common(cloud),
      OSS_TEST_STS_ARN: cloud.roleArn,
      OSS_TEST_ACCOUNT_ID: cloud.accountId,
      // A case reads it.
      OSS_ACCESS_KEY_ID: cloud.accessKeyId,
    }),
  }),
);
