/**
 * TCP over the streams of a session: SOCKS5 and HTTP proxy, port forwards, and the server's end with its allow-list.
 *
 * The client's end asks by an open request which target a stream leads to ({@link LocalProxy}, {@link LocalForward},
 * {@link pipe}); the server's end ({@link Forwarder}) checks and connects it.
 *
 * @module
 */
export type { Incoming, ServeOptions } from "./accept_loop.ts";
export { AllowList } from "./allow_list.ts";
export type { Duplex } from "../duplex.ts";
export {
  FORWARD_DEFAULTS,
  Forwarder,
  type ForwarderOptions,
  type ForwardRefusal,
} from "./forward.ts";
export {
  LocalForward,
  type LocalForwardOptions,
  type LocalForwardRefusal,
  type LocalForwardSpec,
  parseLocalForward,
} from "./local_forward.ts";
export {
  openTarget,
  type OpenTargetOptions,
  type StreamOpener,
  TargetStream,
} from "./open.ts";
export { pipe, type StreamPair } from "./pipe.ts";
export {
  LocalProxy,
  type LocalProxyOptions,
  PROXY_DEFAULTS,
  type ProxyRefusal,
} from "./proxy.ts";
export type { Credentials } from "./socks5.ts";
export {
  type Direction,
  IDLE_TIMEOUT_MS,
  type SpliceEnd,
  type SpliceOptions,
  type SpliceResult,
} from "../splice.ts";
export type { TunnelStats } from "./stats.ts";
export {
  formatTarget,
  OPEN_REPLY,
  type OpenReply,
  parseTarget,
  type Target,
} from "./target.ts";
