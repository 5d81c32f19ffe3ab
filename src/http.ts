/**
 * Node's HTTP, taken without importing it. An import makes Node fill in every name that the module exports, among them
 * WebSocket, which brings a whole HTTP client of its own: 8 MB that a daemon never uses and never gives back.
 */
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
