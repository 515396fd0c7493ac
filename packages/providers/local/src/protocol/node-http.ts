/**
 * `node:http` by way of `require`. An `import` of it reads every export once, and with them the lazily loaded WebSocket client: 50 ms
 * or more at the start of each process.
 */
export const { createServer, request } = process.getBuiltinModule("node:http");
