/**
 * The part of undici that the functions use: the base of a client with the method `request`, and the opener of its connections. Its own client is
 * left out (docs/adr/0043-an-http-client-of-our-own.md), and the package's index also loads fetch, WebSocket, caches and mocks.
 */
const Dispatcher = require("undici/lib/dispatcher/dispatcher");

// Adds the method to the class, as the package's index does.
Dispatcher.prototype.request = require("undici/lib/api/api-request");

module.exports = { Dispatcher, buildConnector: require("undici/lib/core/connect") };
