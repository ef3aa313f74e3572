import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { operatorCredentials } from "../../../operator/clouds/alicloud";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(os.tmpdir(), "aliyun-"));
  jest.spyOn(os, "homedir").mockReturnValue(home);
  // Removes the developer's own credentials.
  for (const name of Object.keys(process.env)) if (name.startsWith("ALIBABA_CLOUD_")) delete process.env[name];
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(home, { recursive: true });
});

async function writeProfiles(text: string): Promise<void> {
  await mkdir(join(home, ".aliyun"));
  await writeFile(join(home, ".aliyun", "config.json"), text);
}

const PROFILES = JSON.stringify({
  current: "default",
  profiles: [
    { name: "default", mode: "AK", access_key_id: "LTAIdefault", access_key_secret: "one" },
    { name: "china", mode: "AK", access_key_id: "LTAIchina", access_key_secret: "two" },
    { name: "session", mode: "StsToken", access_key_id: "STS.x", access_key_secret: "three", sts_token: "token" },
  ],
});
const ENV = { ALICLOUD_ACCESS_KEY: "LTAIenv", ALICLOUD_SECRET_KEY: "env-secret" };

test.each<[string, string | undefined, Record<string, string>, object]>([
  ["a named profile", "china", {}, { accessKeyId: "LTAIchina", accessKeySecret: "two" }],
  ["a named profile before the environment", "china", ENV, { accessKeyId: "LTAIchina", accessKeySecret: "two" }],
  ["a session's profile", "session", {}, { accessKeyId: "STS.x", accessKeySecret: "three", securityToken: "token" }],
  ["the environment's profile", undefined, { ALICLOUD_PROFILE: "china" }, { accessKeyId: "LTAIchina", accessKeySecret: "two" }],
  ["the environment's key", undefined, ENV, { accessKeyId: "LTAIenv", accessKeySecret: "env-secret" }],
  [
    "the environment's session",
    undefined,
    { ...ENV, ALICLOUD_SECURITY_TOKEN: "t" },
    { accessKeyId: "LTAIenv", accessKeySecret: "env-secret", securityToken: "t" },
  ],
])("%s", async (_what, profile, env, credentials) => {
  await writeProfiles(PROFILES);
  expect(await operatorCredentials(profile, env)()).toEqual(credentials);
});

test("uses the current profile by default", async () => {
  await writeProfiles(PROFILES);
  expect(await operatorCredentials(undefined, {})()).toEqual({ accessKeyId: "LTAIdefault", accessKeySecret: "one" });
});

test.each<[string, string]>([
  ["a profile that is not there", PROFILES],
  ["a broken file, whose secrets are not shown", '{"access_key_secret":"very-secret"'],
])("%s", async (_what, text) => {
  await writeProfiles(text);
  const failure = await operatorCredentials("nope", {})().catch((error: Error) => error);
  expect(failure).toMatchObject({
    kind: "PermissionDenied",
    message:
      'there are no credentials for Alibaba Cloud: the profile "nope" of ~/.aliyun/config.json gives none; run aliyun configure --profile nope',
  });
});
