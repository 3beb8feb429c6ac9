import { type Clock, delay } from "../../src/core/async/mod.ts";
import type { MixAddress, MixClient } from "../../src/mixnet/mod.ts";

/** What clients say to each other. */
export interface TrafficOptions {
  /** Time. */
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Who. */
  readonly clients: readonly MixClient[];
  /** To whom, the clients themselves first and in their order. */
  readonly addresses: readonly MixAddress[];
  /** Of all messages, how many ask for a reply. */
  readonly requestShare: number;
}

/** More packets than these wait for no client to say more. */
const MAX_QUEUED = 30;
const PAUSE_MS = 500;
const BURST_EVERY_MS = 15_000;
const BURST_MESSAGES = 8;
const MOST_BYTES = 3_000;

/**
 * Clients talk as long as they live: always as much as the network takes, messages of up to 3,000 bytes and so several fragments, some
 * with replies of the same size; and every 15 s one of them says eight things at once.
 */
export function talk(options: TrafficOptions): void {
  options.clients.forEach((client, i) => {
    void answer(client, options);
    void chat(client, i, options);
  });
  void burst(options);
}

async function answer(
  client: MixClient,
  { random }: TrafficOptions,
): Promise<void> {
  for await (const message of client) {
    message.taken();
    void message.reply?.(bytes(random)).catch(ignore);
  }
}

async function chat(
  client: MixClient,
  own: number,
  options: TrafficOptions,
): Promise<void> {
  const { clock, random } = options;
  for (;;) {
    if (client.stats.queuedPackets < MAX_QUEUED) {
      if (!say(client, own, options)) return;
    }
    await delay(clock, -Math.log(1 - random()) * PAUSE_MS);
  }
}

async function burst(options: TrafficOptions): Promise<void> {
  const { clock, random, clients } = options;
  for (;;) {
    await delay(clock, BURST_EVERY_MS);
    const own = Math.floor(random() * clients.length);
    for (let i = 0; i < BURST_MESSAGES; i++) {
      if (!say(clients[own]!, own, options)) return;
    }
  }
}

/** Says something to somebody else; `false` if the client is closed. */
function say(
  client: MixClient,
  own: number,
  { random, addresses, requestShare }: TrafficOptions,
): boolean {
  const other = 1 + Math.floor(random() * (addresses.length - 1));
  const address = addresses[(own + other) % addresses.length]!;
  let isOpen = true;
  const said = random() < requestShare
    ? client.request(address, bytes(random))
    : client.send(address, bytes(random));
  said.catch((error) => isOpen = error?.code !== "closed");
  return isOpen;
}

function bytes(random: () => number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Math.ceil(random() * MOST_BYTES));
}

function ignore(): void {}
