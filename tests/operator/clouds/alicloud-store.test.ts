/** The host through which the commands read a bucket of OSS. */
import { openAlicloudSide } from "../../../operator/clouds/alicloud";
import type { AlicloudAccess } from "../../../operator/operated-bridge";
import { startHttps } from "../../runtime/support/https-server";

test.each([
  ["the region's public host", undefined, "oss-cn-shanghai.aliyuncs.com", "/reports"],
  ["the side's custom domain, which names no bucket", "oss.example.com", "oss.example.com", ""],
])("objects and listings come from %s", async (_what, customDomain, host, prefix) => {
  const server = await startHttps((request, response) => {
    const listing = request.url.includes("list-type");
    const head = { etag: '"E"', "last-modified": new Date(0).toUTCString(), "content-length": "1" };
    response.writeHead(200, listing ? {} : head);
    response.end(listing ? "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>" : undefined);
  });
  const hosts: string[] = [];
  const access: AlicloudAccess = {
    cloud: "alicloud",
    region: "cn-shanghai",
    ca: server.ca,
    credentials: async () => ({ accessKeyId: "k", accessKeySecret: "s" }),
    originOf: (asked) => {
      hosts.push(asked);
      return server.origin;
    },
  };
  const side = openAlicloudSide(access, { bucket: "reports", customDomain });
  try {
    await side.store.head("a/b");
    for await (const object of side.store.list("")) throw new Error(`there is no ${object.key}`);
    expect([...new Set(hosts)]).toEqual([host]);
    expect(server.seen.map(({ url }) => url.replace(/\?.*/, ""))).toEqual([`${prefix}/a/b`, `${prefix}/`]);
  } finally {
    await side.close();
    await server.close();
  }
});
