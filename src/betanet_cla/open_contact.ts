import { concat } from "../core/bytes/mod.ts";
import type { Session, Stream } from "../htx/mod.ts";
import { ContactError } from "../dtn/mod.ts";
import {
  decodeHello,
  encodeHello,
  type Hello,
  MAX_HELLO_LENGTH,
} from "./hello.ts";
import { HtxContact, type HtxContactOptions } from "./htx_contact.ts";

/** Which side of a contact this is: who dialled opens the control stream. */
export type ContactRole = "dialer" | "listener";

/**
 * Makes a contact of a session: opens or takes the control stream, says hello and hears the peer's.
 *
 * @throws {ContactError} `disconnected` if the session ends before.
 * @throws {DecodeError} If the peer says something else; the session is closed.
 * @throws The reason of `signal`.
 */
export async function openContact(
  session: Session,
  role: ContactRole,
  nodeId: string,
  options: HtxContactOptions,
  signal: AbortSignal,
): Promise<HtxContact> {
  const onAbort = () => void session.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const control = role === "dialer"
      ? await session.open({ signal })
      : await session.accept({ signal });
    if (!control) throw gone();
    const { receiving, maxBundleBytes } = options;
    const takesDatagrams = options.datagrams && session.datagrams !== undefined;
    await control.write(
      encodeHello({ nodeId, receiving, maxBundleBytes, takesDatagrams }),
    );
    const hello = await readHello(control);
    signal.throwIfAborted();
    return new HtxContact(session, control, hello, options);
  } catch (error) {
    void session.close();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function readHello(control: Stream): Promise<Hello> {
  const buffer = new Uint8Array(MAX_HELLO_LENGTH);
  let bytes = concat();
  for (;;) {
    const length = await control.read(buffer);
    if (length === null) throw gone();
    bytes = concat(bytes, buffer.subarray(0, length));
    const hello = decodeHello(bytes);
    if (hello) return hello;
  }
}

function gone(): ContactError {
  return new ContactError("disconnected", "The peer ended before its hello");
}
