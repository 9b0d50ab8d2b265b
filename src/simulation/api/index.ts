// The embedded Kubernetes API: an API server in memory, for simulations, tests and the demo. It is a
// Transport (in-process, no text in between), and can listen on a loopback port for kubectl.
// README.md says what it does and what it refuses.

export { EmbeddedApi, type EmbeddedApiOptions } from './embedded-api.ts';
export { Faults } from './faults.ts';
export type { Served, ServeOptions } from './http-server.ts';
