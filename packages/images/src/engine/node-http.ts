// `import` of node:http looks at every one of its exports, and so loads the WebSocket that Node has under one of them: a tenth of the
// time that pctl takes to start.

export const { Agent, request: requestByHttp } = process.getBuiltinModule("node:http");
export const { Agent: TlsAgent, request: requestByTls } = process.getBuiltinModule("node:https");
