/**
 * Loaded before the code of a custom runtime. It gives the process what an instance has by its own network: there, every function listens on the
 * same port of all addresses, and only Function Compute reaches it. Here, the server gets a free port on 127.0.0.1, and the parent is told.
 */
"use strict";
const { Server } = require("node:net");

const instancePort = Number(process.env.LOCAL_FC_INSTANCE_PORT);
const send = process.send.bind(process);
// Hide from the function what the real service does not have.
delete process.send;
delete process.env.LOCAL_FC_INSTANCE_PORT;
// The parent process has ended, perhaps by kill -9.
process.on("disconnect", () => process.exit(1));

/** The port and the host of the forms `listen(port, host?)` and `listen({ port, host })`. */
function addressOf([first, second]) {
  if (typeof first === "object" && first !== null) return { port: Number(first.port), host: first.host };
  return { port: Number(first), host: typeof second === "string" ? second : undefined };
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
  this.once("listening", () => send({ port: this.address().port }));
  const callback = args.findLast((argument) => typeof argument === "function");
  return listen.call(this, { port: 0, host: "127.0.0.1" }, callback);
};
