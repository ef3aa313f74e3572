/**
 * Loaded before the code of a custom runtime. It gives the process what an instance has by its own network: there, every function listens on the
 * same port of all addresses, and only Function Compute reaches it. Here, the server gets a free port on 127.0.0.1, and the parent is told.
 */
"use strict";
const { Server } = require("node:net");

const instancePort = Number(process.env.LOCAL_FC_INSTANCE_PORT);
const secret = process.env.LOCAL_FC_INSTANCE_SECRET;
const SECRET_HEADER = "x-local-fc-instance";
/** The events of a server of HTTP that bring a request. */
const REQUESTS = new Set(["request", "checkContinue", "checkExpectation", "upgrade", "connect"]);
const send = process.send.bind(process);
// Hide from the function what the real service does not have.
delete process.send;
delete process.env.LOCAL_FC_INSTANCE_PORT;
delete process.env.LOCAL_FC_INSTANCE_SECRET;
// The parent process has ended, perhaps by kill -9.
process.on("disconnect", () => process.exit(1));

/** The port and the host of the forms `listen(port, host?)` and `listen({ port, host })`. */
function addressOf([first, second]) {
  if (typeof first === "object" && first !== null) return { port: Number(first.port), host: first.host };
  return { port: Number(first), host: typeof second === "string" ? second : undefined };
}

/** Whether the parent sent the request. The function does not see how it is known. */
function isOfParent(request) {
  const given = request.headers[SECRET_HEADER];
  delete request.headers[SECRET_HEADER];
  const at = request.rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === SECRET_HEADER);
  if (at >= 0) request.rawHeaders.splice(at, 2);
  return secret !== undefined && given === secret;
}

/** Every program and every web page of this machine reaches the port, so all requests but the parent's are refused. */
function forParentOnly(server) {
  const { emit } = server;
  server.emit = function (event, ...args) {
    if (!REQUESTS.has(event)) return emit.call(this, event, ...args);
    const [request, answer] = args;
    if (isOfParent(request)) return emit.call(this, event, ...args);
    request.resume();
    if (typeof answer.writeHead === "function") answer.writeHead(403, { connection: "close" }).end();
    else answer.destroy();
    return true;
  };
}

const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  const { port, host } = addressOf(args);
  if (port !== instancePort) return listen.apply(this, args);
  // https://www.alibabacloud.com/help/en/functioncompute/fc/principles-1
  if (host !== undefined && host !== "0.0.0.0" && host !== "::") {
    send({ refused: `the function listens on ${host}:${port}, where Function Compute does not reach it: listen on 0.0.0.0` });
    return this;
  }
  forParentOnly(this);
  this.once("listening", () => send({ port: this.address().port }));
  const callback = args.findLast((argument) => typeof argument === "function");
  return listen.call(this, { port: 0, host: "127.0.0.1" }, callback);
};
