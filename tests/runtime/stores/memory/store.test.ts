import { isBridgeError } from "../../../../runtime/stores/errors";
import { MEMORY_CAPABILITIES, MemoryStore, parseMemoryUrl } from "../../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../../runtime/stores/object-store";
import { taggingDocument } from "../../../../runtime/stores/oss/metadata";
import { readAll } from "../../../../runtime/stores/read-all";
import { objectStoreConformance, type StoreUnderTest } from "../../../conformance/object-store-conformance";
import { VirtualTime } from "../../../support/virtual-time";

function underTest(capabilities: StoreCapabilities, versioned: boolean): StoreUnderTest {
  const clock = new VirtualTime(Date.UTC(2026, 0, 1, 0, 0, 0, 400));
  const store = new MemoryStore({ clock, capabilities, versioned, name: "conformance" });
  return {
    store,
    elapse: async (ms) => clock.advance(ms),
    fetch: async (url, headers) => {
      const { key, reads, expiresMs } = parseMemoryUrl(url);
      if (clock.now() > expiresMs) return { status: 403, body: Buffer.from("expired") };
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
      const ifMatch = headers["if-match"]?.replaceAll('"', "");
      const options = {
        ...(ifMatch !== undefined && { ifMatch }),
        ...(start !== undefined && { range: { start: Number(start), end: Number(end) } }),
      };
      try {
        if (reads === "tags") return { status: 200, body: taggingDocument(await store.getTags(key)) };
        const { body } = await store.get(key, options);
        return { status: start === undefined ? 200 : 206, body: await readAll(body, 1024 ** 2) };
      } catch (error) {
        if (isBridgeError(error, "NotFound")) return { status: 404, body: Buffer.alloc(0) };
        if (isBridgeError(error, "PreconditionFailed")) return { status: 412, body: Buffer.alloc(0) };
        throw error;
      }
    },
  };
}

const UNCONDITIONAL: StoreCapabilities = {
  ...MEMORY_CAPABILITIES,
  conditionalWrites: false,
  conditionalCreate: false,
  checksums: ["CRC64XZ"],
  multipartChecksums: ["CRC64XZ"],
  minPartSizeBytes: 1000,
};

objectStoreConformance({
  name: "memory",
  capabilities: MEMORY_CAPABILITIES,
  make: async () => underTest(MEMORY_CAPABILITIES, false),
});
objectStoreConformance({
  name: "memory, versioned",
  capabilities: MEMORY_CAPABILITIES,
  versioned: true,
  make: async () => underTest(MEMORY_CAPABILITIES, true),
});
objectStoreConformance({
  name: "memory without conditions",
  capabilities: UNCONDITIONAL,
  make: async () => underTest(UNCONDITIONAL, false),
});
const CREATE_ONLY: StoreCapabilities = { ...UNCONDITIONAL, conditionalCreate: true };
objectStoreConformance({
  name: "memory with conditional create",
  capabilities: CREATE_ONLY,
  make: async () => underTest(CREATE_ONLY, false),
});
