/**
 * What the real roles do for one object. Written by `COUNTED=write npx jest --globalSetup= tests/cost/counted`; the same test fails where the roles do
 * something else. Requests and steps are exact, times and log sizes are to two digits.
 */
export const COUNTED = {
  small: {
    "pull-to-s3": {
      "new": { source: { head: 2, get: 1 }, destination: { headMissing: 1, put: 1 }, records: {} },
      unchanged: { source: { head: 2 }, destination: { head: 1 }, records: {} },
      tags: { source: { getTags: 2 }, destination: {}, records: {} },
      delete: { source: { headMissing: 2, getMissing: 1 }, destination: { head: 1, delete: 1 }, records: {} },
    },
    "pull-to-oss": {
      "new": { source: { head: 2, get: 1 }, destination: { headMissing: 1, put: 1 }, records: {} },
      unchanged: { source: { head: 2 }, destination: { head: 1 }, records: {} },
      tags: { source: { getTags: 2 }, destination: {}, records: {} },
      delete: { source: { headMissing: 2, getMissing: 1 }, destination: { head: 1, delete: 1 }, records: {} },
    },
    push: {
      "new": { source: { head: 2, get: 1 }, destination: { headMissing: 1, put: 1 }, records: {} },
      unchanged: { source: { head: 1 }, destination: { head: 1 }, records: {} },
      tags: { source: { getTags: 2 }, destination: {}, records: {} },
      delete: { source: { headMissing: 3 }, destination: { head: 1, delete: 1 }, records: {} },
    },
  },
  large: {
    "pull-to-s3": {
      object: {
        source: { head: 6, getTags: 1, get: 3 },
        destination: { headMissing: 6, put: 6, head: 2, getMissing: 3, get: 8, createUpload: 1, completeUpload: 1, delete: 2 },
        records: {},
      },
      part: { source: { get: 1 }, destination: { uploadPart: 1 }, records: {} },
    },
    "pull-to-oss": {
      object: {
        source: { head: 6, getTags: 1, get: 2 },
        destination: { headMissing: 5, put: 1, head: 2, createUpload: 1, completeUpload: 1, get: 1 },
        records: { readTailMissing: 6, append: 11, readTail: 9 },
      },
      part: { source: { get: 1 }, destination: { uploadPart: 1 }, records: {} },
    },
    push: {
      object: {
        source: { head: 4, getTags: 1 },
        destination: { headMissing: 2, head: 1, createUpload: 1, completeUpload: 1 },
        records: { readTailMissing: 6, append: 7, readTail: 5 },
      },
      part: { source: { get: 1 }, destination: { uploadPart: 1 }, records: {} },
    },
  },
  questions: 5,
  ossEvents: { events: 64, requests: 2, calls: 64 },
  use: { copies: 0.39, pushers: 0.3 },
  push: { "new": { steps: 1, pusher: 1 }, unchanged: { steps: 1, pusher: 1 } },
  busyMs: {
    single: { "new": { receiver: 250, sender: 490 }, unchanged: { receiver: 32, sender: 270 } },
    batch: { "new": { receiver: 260, sender: 560 }, unchanged: { receiver: 47, sender: 350 } },
    window: { "new": { receiver: 390, sender: 960 }, unchanged: { receiver: 120, sender: 700 } },
    ossEvents: { "new": { receiver: 650, sender: 1400 }, unchanged: { receiver: 170, sender: 1100 } },
    push: { "new": { dispatcher: 24, pusher: 460 }, unchanged: { dispatcher: 24, pusher: 210 } },
    large: { receiver: 830, sender: 2000, copier: 1000, dispatcher: 24, pusher: 1700 },
  },
  logBytes: { pull: { sender: 0, receiver: 160 }, push: { dispatcher: 190, pusher: 250 } },
} as const;
