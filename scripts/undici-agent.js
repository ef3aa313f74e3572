/**
 * The part of undici that the functions use: an Agent with the method `request`, and the opener of its connections. The package's index also
 * loads fetch, WebSocket, caches and mocks, which are more than half of a bundle. `stream`, `pipeline`, `upgrade` and `connect` of a dispatcher
 * are not here.
 */
const Agent = require("undici/lib/dispatcher/agent");
const Dispatcher = require("undici/lib/dispatcher/dispatcher");

// Adds the method to the class, as the package's index does.
Dispatcher.prototype.request = require("undici/lib/api/api-request");

module.exports = { Agent, buildConnector: require("undici/lib/core/connect") };
