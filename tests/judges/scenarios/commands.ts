/** What command-line clients do. The expectations are those of the clients' own documentation. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "../command";
import type { Scenarios } from "../scenario-suite";

export interface Client {
  command: Command;
  /** The name of a bucket that does not exist yet. */
  freshName(): string;
}

const LARGE_BYTES = 12 * 1024 ** 2 + 1;

/** A file with a name that needs escaping, one in a folder and a large one. */
async function makeTree({ command: { folder } }: Client, name: string): Promise<Record<string, Buffer>> {
  const files = { "a b+c 文件.txt": Buffer.from("hello"), "dir/empty": Buffer.alloc(0), "dir/large": randomBytes(LARGE_BYTES) };
  await mkdir(join(folder, name, "dir"), { recursive: true });
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(folder, name, path), bytes);
  return files;
}

async function assertTree({ command: { folder } }: Client, name: string, files: Record<string, Buffer>): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) assert((await readFile(join(folder, name, path))).equals(bytes), path);
}

async function aFile({ command: { folder } }: Client, name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text);
}

export const AWSCLI: Scenarios<Client> = {
  async "sync moves a tree there and back"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    const files = await makeTree(client, "there");
    await run("s3", "mb", `s3://${bucket}`);
    await run("s3", "sync", "there", `s3://${bucket}/x`);
    await run("s3", "sync", `s3://${bucket}/x`, "back");
    await assertTree(client, "back", files);
    assert.equal(await run("s3", "sync", "there", `s3://${bucket}/x`), "");
    await run("s3", "rb", "--force", `s3://${bucket}`);
  },
  async "cp keeps metadata, and ls and rm see the object"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("s3", "mb", `s3://${bucket}`);
    await run("s3", "cp", "f", `s3://${bucket}/k`, "--metadata", "who=me", "--content-type", "text/plain");
    const head = JSON.parse(await run("s3api", "head-object", "--bucket", bucket, "--key", "k"));
    assert.deepEqual([head.Metadata, head.ContentType, head.ContentLength], [{ who: "me" }, "text/plain", 5]);
    await run("s3", "cp", `s3://${bucket}/k`, `s3://${bucket}/copy`);
    assert.equal(await run("s3", "cp", `s3://${bucket}/copy`, "-"), "hello");
    assert.match(await run("s3", "ls", `s3://${bucket}/`), /5 copy\n.* 5 k\n/);
    await run("s3", "rm", `s3://${bucket}/k`);
    assert.doesNotMatch(await run("s3", "ls", `s3://${bucket}/`), / k\n/);
  },
  async "a presigned URL reads the object"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("s3", "mb", `s3://${bucket}`);
    await run("s3", "cp", "f", `s3://${bucket}/k`);
    assert.match(await run("s3", "presign", `s3://${bucket}/k`), /Signature=/);
  },
  async "refusals have the codes of S3"(client) {
    const { run, fails } = client.command;
    const bucket = client.freshName();
    await run("s3", "mb", `s3://${bucket}`);
    await fails(/\(NoSuchKey\)/, "s3api", "get-object", "--bucket", bucket, "--key", "absent", "f");
    await fails(/\(NoSuchBucket\)/, "s3api", "list-objects-v2", "--bucket", `${bucket}-absent`);
    await fails(/\(NoSuchUpload\)/, "s3api", "list-parts", "--bucket", bucket, "--key", "k", "--upload-id", "absent");
  },
};

export const RCLONE: Scenarios<Client> = {
  async "copy, check and sync a tree"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    const files = await makeTree(client, "there");
    await run("mkdir", `s3:${bucket}`);
    await run("copy", "there", `s3:${bucket}/x`);
    await run("check", "there", `s3:${bucket}/x`, "--download");
    await run("copy", `s3:${bucket}/x`, "back");
    await assertTree(client, "back", files);
    await run("sync", "there/dir", `s3:${bucket}/x`);
    const left = JSON.parse(await run("lsjson", "-R", "--files-only", `s3:${bucket}/x`)) as { Path: string }[];
    assert.deepEqual(left.map(({ Path }) => Path).sort(), ["empty", "large"]);
    await run("purge", `s3:${bucket}`);
  },
  async "modification times and metadata are kept"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("touch", "f", "--timestamp", "2026-01-02T03:04:05");
    await run("mkdir", `s3:${bucket}`);
    await run("copyto", "f", `s3:${bucket}/k`, "--metadata", "--metadata-set", "who=me");
    const [found] = JSON.parse(await run("lsjson", "--metadata", `s3:${bucket}`)) as {
      ModTime: string;
      Metadata: Record<string, string>;
    }[];
    assert.match(found?.ModTime ?? "", /^2026-01-02T03:04:05/);
    assert.equal(found?.Metadata.who, "me");
  },
  async "a file is moved, read and deleted on the server"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("mkdir", `s3:${bucket}`);
    await run("copyto", "f", `s3:${bucket}/from`);
    await run("moveto", `s3:${bucket}/from`, `s3:${bucket}/to`);
    assert.equal(await run("cat", `s3:${bucket}/to`), "hello");
    assert.match(await run("hashsum", "md5", `s3:${bucket}`), /^5d41402abc4b2a76b9719d911017c592 {2}to/);
    await run("deletefile", `s3:${bucket}/to`);
    assert.deepEqual(JSON.parse(await run("lsjson", `s3:${bucket}`)), []);
  },
  async "old versions are read"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await run("mkdir", `s3:${bucket}`);
    await run("backend", "versioning", `s3:${bucket}`, "Enabled");
    for (const text of ["1", "2"]) {
      await aFile(client, "f", text);
      await run("copyto", "f", `s3:${bucket}/k`, "--ignore-times");
    }
    const found = JSON.parse(await run("lsjson", "--s3-versions", `s3:${bucket}`)) as { Path: string }[];
    assert.equal(found.length, 2);
    const old = found.find(({ Path }) => Path !== "k")?.Path;
    assert.equal(await run("cat", "--s3-versions", `s3:${bucket}/${old}`), "1");
  },
};

export const OSSUTIL: Scenarios<Client> = {
  async "cp moves a tree there and back"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    const files = await makeTree(client, "there");
    await run("mb", `oss://${bucket}`);
    await run("cp", "-r", "there/", `oss://${bucket}/x/`, "--bigfile-threshold", "1048576", "--part-size", "1048576");
    await run("cp", "-r", `oss://${bucket}/x/`, "back/", "--bigfile-threshold", "1048576", "--part-size", "1048576");
    await assertTree(client, "back", files);
    assert.match(await run("ls", `oss://${bucket}`), /Object Number is: 4/);
    await run("rm", "-rbf", `oss://${bucket}`);
  },
  async "sync deletes what the source lacks"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await makeTree(client, "there");
    await run("mb", `oss://${bucket}`);
    await run("sync", "there/", `oss://${bucket}/`, "--force");
    await run("sync", "there/dir/", `oss://${bucket}/`, "--delete", "--force");
    assert.match(await run("ls", "-s", `oss://${bucket}`), /oss:\/\/\S+\/empty\noss:\/\/\S+\/large\n\n?Object Number is: 2/);
  },
  async "stat, cat and set-meta see the object"(client) {
    const { run, fails } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("mb", `oss://${bucket}`);
    await run("cp", "f", `oss://${bucket}/k`, "--meta", "x-oss-meta-who:me#Cache-Control:no-cache");
    const stat = await run("stat", `oss://${bucket}/k`);
    assert.match(stat, /X-Oss-Meta-Who\s*: me/);
    assert.match(stat, /Content-Length\s*: 5/);
    assert.match(await run("cat", `oss://${bucket}/k`), /^hello/);
    await run("set-meta", `oss://${bucket}/k`, "x-oss-meta-more:1", "--update");
    assert.match(await run("stat", `oss://${bucket}/k`), /X-Oss-Meta-More\s*: 1/);
    await fails(/StatusCode=404/, "stat", `oss://${bucket}/absent`);
  },
  async "set-acl, symlinks, tags and restore"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("mb", `oss://${bucket}`);
    await run("cp", "f", `oss://${bucket}/k`);
    await run("set-acl", `oss://${bucket}/k`, "public-read");
    assert.match(await run("stat", `oss://${bucket}/k`), /ACL\s*: public-read/);
    await run("create-symlink", `oss://${bucket}/link`, "k");
    assert.match(await run("read-symlink", `oss://${bucket}/link`), /X-Oss-Symlink-Target\s*: k/);
    await run("object-tagging", "--method", "put", `oss://${bucket}/k`, "a#1");
    assert.match(await run("object-tagging", "--method", "get", `oss://${bucket}/k`), /"?a"?\s+"?1"?/);
    await run("cp", "f", `oss://${bucket}/cold`, "--meta", "x-oss-storage-class:Archive");
    await run("restore", `oss://${bucket}/cold`);
  },
  async "settings of a bucket come back"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await run("mb", `oss://${bucket}`);
    await run("bucket-versioning", "--method", "put", `oss://${bucket}`, "enabled");
    assert.match(await run("bucket-versioning", "--method", "get", `oss://${bucket}`), /Enabled/);
    await run("bucket-encryption", "--method", "put", `oss://${bucket}`, "--sse-algorithm", "AES256");
    assert.match(await run("bucket-encryption", "--method", "get", `oss://${bucket}`), /AES256/);
    await run("bucket-tagging", "--method", "put", `oss://${bucket}`, "team#a");
    assert.match(await run("bucket-tagging", "--method", "get", `oss://${bucket}`), /team/);
    assert.match(await run("stat", `oss://${bucket}`), /Location\s*: oss-cn-hangzhou/);
  },
  async "a signed URL is printed"(client) {
    const { run } = client.command;
    const bucket = client.freshName();
    await aFile(client, "f", "hello");
    await run("mb", `oss://${bucket}`);
    await run("cp", "f", `oss://${bucket}/k`);
    assert.match(await run("sign", `oss://${bucket}/k`), /[?&](?:x-oss-signature|Signature)=/i);
  },
};
