import { orAbort } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import type { Connection } from "../core/transport/mod.ts";
import type { TlsEndpoint } from "./endpoint.ts";

/** Options of {@link completeHandshake}. */
export interface HandshakeOptions {
  /** Decides about the peer's certificates: it rejects if they are not good. */
  readonly judge: (chain: readonly Bytes[]) => Promise<void>;
  /** Called when the handshake is over and its last flight not yet written: what is sent now goes with it. */
  readonly established?: () => void;
  /** Ends the handshake and the transport; the promise rejects with its reason. */
  readonly signal: AbortSignal;
}

const READ_BYTES = 1 << 14;

/**
 * Runs the handshake of `endpoint` over `transport`, and drops both if it fails.
 *
 * @throws {TlsError} If the peer breaks the protocol, sends an alert, or is not trusted.
 * @throws {TransportError} If the transport breaks.
 * @throws The reason of the signal.
 */
export async function completeHandshake(
  transport: Connection,
  endpoint: TlsEndpoint,
  options: HandshakeOptions,
): Promise<void> {
  const { signal } = options;
  const onAbort = () => transport.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await exchange(transport, endpoint, options);
    signal.throwIfAborted();
  } catch (error) {
    await farewell(transport, endpoint);
    endpoint[Symbol.dispose]();
    transport.close();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function exchange(
  transport: Connection,
  endpoint: TlsEndpoint,
  { judge, established, signal }: HandshakeOptions,
): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    if (endpoint.agreement) established?.();
    if (endpoint.hasOutput) await transport.write(endpoint.takeOutput());
    if (endpoint.agreement) return;
    const chain = endpoint.certificatesToJudge;
    if (chain) {
      await decide(endpoint, () => judge(chain), signal);
      continue;
    }
    const length = await transport.read(buffer);
    if (length === null) endpoint.receiveEnd();
    else endpoint.receive(buffer.subarray(0, length));
  }
}

async function decide(
  endpoint: TlsEndpoint,
  judge: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await orAbort(Promise.try(judge), signal);
  } catch (error) {
    throw signal.aborted ? error : endpoint.reject(error);
  }
  endpoint.accept();
}

/** Sends the alert, if there is one and the transport still takes it. */
async function farewell(
  transport: Connection,
  endpoint: TlsEndpoint,
): Promise<void> {
  if (!endpoint.hasOutput) return;
  try {
    await transport.write(endpoint.takeOutput());
  } catch { // the peer is gone: it needs no alert
  }
}
