import { formatIp, parseIp } from "../../core/bytes/mod.ts";
import {
  type Address,
  bindUdp,
  type DatagramSocket,
  type DialOptions,
  formatAddress,
  parseAddress,
  resolveHost,
} from "../../core/transport/mod.ts";
import { ByteBudget } from "../cla/byte_budget.ts";
import { contactErrorOf } from "../cla/contact_error.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
} from "../cla/convergence_layer.ts";
import type { WindowOptions } from "../cla/window.ts";
import { UdpContact } from "./udp_contact.ts";
import { UdpListener, type UdpListenerOptions } from "./udp_listener.ts";

/** Options of {@link UdpLayer}. */
export interface UdpOptions {
  /** Where contacts that we open send from, default `udp://0.0.0.0:0`, or `udp://[::]:0` to an IPv6 address. */
  readonly localAddress?: Address;
  /** Most contacts at one listener; the one heard of least recently gives way. Default 1,024. */
  readonly maxContacts?: number;
  /** Bundles of one contact that may wait for the node, default 256 and 4 MiB; beyond, they are dropped and counted. */
  readonly receiving?: WindowOptions;
  /** Bytes of bundles that all contacts hold together for the node, default 64 MiB; beyond, they are dropped and counted. */
  readonly maxHeldBytes?: number;
}

const DEFAULTS = {
  maxContacts: 1_024,
  receiving: { maxCount: 256, maxBytes: 4_194_304 },
  maxHeldBytes: 67_108_864,
};

/** One bundle a datagram over UDP, as dtn7-rs and ION have it. It may get lost, twice or late; nobody says so. */
export class UdpLayer implements ConvergenceLayer {
  /** `"udp"`. */
  readonly name = "udp";
  readonly #localAddress: Address | undefined;
  readonly #options: UdpListenerOptions;

  /** Opens nothing yet. */
  constructor({ localAddress, ...options }: UdpOptions = {}) {
    this.#localAddress = localAddress;
    const { maxHeldBytes, ...bounds } = { ...DEFAULTS, ...options };
    this.#options = { ...bounds, budget: new ByteBudget(maxHeldBytes) };
  }

  /** As {@link ConvergenceLayer.dial}; whether anybody is there shows nowhere. What others send to the contact is ignored. */
  async dial(
    address: Address,
    { signal }: DialOptions = {},
  ): Promise<Contact> {
    signal?.throwIfAborted();
    const remoteAddress = await resolved(address, signal);
    const local = remoteAddress.includes("[")
      ? "udp://[::]:0"
      : "udp://0.0.0.0:0";
    const socket = bindUdp(this.#localAddress ?? local);
    const contact = new UdpContact({
      remoteAddress,
      ...this.#options,
      send: (message) => socket.send(message, remoteAddress),
      onClose: () => socket.close(),
    });
    void receiveAll(socket, contact).catch(() => contact.close());
    return contact;
  }

  /** As {@link ConvergenceLayer.listen}: each address that a datagram comes from is a contact. */
  listen(address: Address): Promise<ContactListener> {
    return Promise.resolve().then(() =>
      new UdpListener(bindUdp(address), this.#options)
    );
  }
}

/** `address` with the best IP address of its host, as datagrams that come from there have it. */
async function resolved(
  address: Address,
  signal: AbortSignal | undefined,
): Promise<Address> {
  const { scheme, hostname, port } = parseAddress(address);
  const ip = parseIp(hostname);
  if (ip) return formatAddress({ scheme, hostname: formatIp(ip), port });
  try {
    const [best] = await resolveHost(hostname, { ...(signal && { signal }) });
    return formatAddress({ scheme, hostname: best!, port });
  } catch (error) {
    signal?.throwIfAborted();
    throw contactErrorOf(error);
  }
}

async function receiveAll(
  socket: DatagramSocket,
  contact: UdpContact,
): Promise<void> {
  let datagram;
  while ((datagram = await socket.receive())) {
    if (datagram.from === contact.remoteAddress) {
      contact.receive(datagram.message);
    }
  }
}
