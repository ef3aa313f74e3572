/**
 * The runtime inside a function's process. It loads the handler and runs one invocation after the other. It is plain JavaScript because the
 * process is a bare `node`.
 */
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const { format } = require("node:util");

const send = process.send.bind(process);
const write = process.stdout.write.bind(process.stdout);
// Hide the channel from the function: the real service has none.
delete process.send;
// The parent process has ended, perhaps by kill -9.
process.on("disconnect", () => process.exit(1));

/** An error given to `callback`, in contrast to a thrown one. */
class HandledError extends Error {
  constructor(reason) {
    super("handled");
    this.reason = reason;
  }
}

// https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/logging
let requestId = "";
const logAt =
  (level) =>
  (...values) =>
    write(`${new Date().toISOString()} ${requestId} [${level}] ${format(...values)}\n`);
const logger = { log: logAt("info"), debug: logAt("debug"), info: logAt("info"), warn: logAt("warn"), error: logAt("error") };
Object.assign(console, { ...logger, log: logAt("silly") });

async function loadHandler() {
  const path = process.env.FC_FUNC_CODE_PATH;
  const handler = process.env.FC_FUNCTION_HANDLER;
  const dot = handler.lastIndexOf(".");
  const [file, name] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const found = [".js", ".mjs"].map((extension) => join(path, file + extension)).find((candidate) => existsSync(candidate));
  const loaded = await import(pathToFileURL(found).href);
  const exported = loaded[name] ?? loaded.default?.[name];
  if (typeof exported !== "function") throw new Error(`Handler '${name}' is missing on module '${file}'`);
  return exported;
}

/** The result is that of the promise, of the callback, or the returned value when the handler has no callback parameter. */
function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, data) => {
      if (error === null || error === undefined) resolve(data);
      else reject(new HandledError(error));
    };
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (handler.length < 3) resolve(returned);
  });
}

function encode(value) {
  if (value === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(value)) return value;
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/error-handling-nodejs */
function encodeError(error) {
  if (!(error instanceof Error)) return encode({ errorMessage: format(error) });
  const stackTrace = String(error.stack).split("\n");
  return encode({ errorMessage: error.message, errorType: error.name, stackTrace });
}

let handler;
async function answer(task) {
  requestId = task.requestId;
  write(`FC Invoke Start RequestId: ${requestId}\n`);
  let result;
  try {
    handler ??= loadHandler();
    const context = { ...task.context, requestId, logger };
    result = { payload: encode(await call(await handler, Buffer.from(task.event), context)) };
  } catch (error) {
    const handled = error instanceof HandledError;
    const reason = handled ? error.reason : error;
    if (!handled) logger.error(reason);
    result = { payload: encodeError(reason), errorType: handled ? "HandledInvocationError" : "UnhandledInvocationError" };
  }
  write(`FC Invoke End RequestId: ${requestId}\n`);
  send(result);
}

process.on("message", (task) => void answer(task));
send({ ready: true });
