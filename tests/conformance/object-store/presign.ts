import { Readable } from "node:stream";
import { readTags } from "../../../runtime/replication/source-answer";
import { type Context, expectKind, putText } from "./context";

export function presignChecks(context: Context): void {
  const { check, freshKey } = context;

  async function signed(text: string, expiresInSeconds = 60) {
    const key = freshKey("presigned +&");
    const { etag } = await putText(context, key, text);
    return { key, etag, url: await context.store.presignGet(key, { expiresInSeconds }) };
  }

  check("presign-get", "the URL reads the object", async () => {
    const { url } = await signed("hello");
    const { status, body } = await context.subject.fetch(url, {});
    expect([status, body.toString()]).toEqual([200, "hello"]);
  });

  check("presign-current", "the URL reads the current object, not the one at the time of signing", async () => {
    const { key, url } = await signed("old");
    await putText(context, key, "new");
    expect((await context.subject.fetch(url, {})).body.toString()).toBe("new");
    await context.store.delete(key);
    expect((await context.subject.fetch(url, {})).status).toBe(404);
  });

  check("presign-if-match", "an unsigned If-Match header is obeyed: the right etag reads, any other is 412", async () => {
    const { key, etag, url } = await signed("pinned");
    const match = await context.subject.fetch(url, { "if-match": `"${etag}"` });
    expect([match.status, match.body.toString()]).toEqual([200, "pinned"]);
    await putText(context, key, "moved on");
    const mismatch = await context.subject.fetch(url, { "if-match": `"${etag}"` });
    expect(mismatch.status).toBe(412);
    expect(mismatch.body.toString()).not.toContain("moved on");
  });

  check("presign-range", "an unsigned Range header is obeyed", async () => {
    const { etag, url } = await signed("0123456789");
    const { status, body } = await context.subject.fetch(url, { range: "bytes=3-5", "if-match": `"${etag}"` });
    expect([status, body.toString()]).toEqual([206, "345"]);
  });

  check("presign-tags", "a URL of the tags reads the tags that the object has now", async () => {
    const { key } = await signed("x");
    const url = await context.store.presignGet(key, { expiresInSeconds: 60, reads: "tags" });
    const tagsNow = async () => {
      const { status, body } = await context.subject.fetch(url, {});
      expect(status).toBe(200);
      return await readTags(Readable.from([body]));
    };
    expect(await tagsNow()).toEqual({});
    await context.store.putTags(key, { state: "draft", "a b": "" });
    expect(await tagsNow()).toEqual({ state: "draft", "a b": "" });
    await context.store.putTags(key, { state: "final" });
    expect(await tagsNow()).toEqual({ state: "final" });
  });

  check("presign-expired", "an expired URL is 403", async () => {
    const { url } = await signed("x", 1);
    await context.subject.elapse(2100);
    expect((await context.subject.fetch(url, {})).status).toBe(403);
  });

  check("presign-lifetime", "a lifetime that no store signs is Invalid", async () => {
    for (const expiresInSeconds of [0, -1, 1.5, 604_801, Number.NaN])
      await expectKind(context.store.presignGet(freshKey(), { expiresInSeconds }), "Invalid");
  });
}
