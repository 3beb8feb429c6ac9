import { assert } from "@std/assert";
import {
  type Address,
  ByteConnection,
  type Connection,
  type Transport,
} from "../../src/core/transport/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";

/** Bytes of one packet. */
const PACKET_BYTES = 16_000;

/** What one connection carried, in order, for `text2pcap` and `tshark` to read. */
export class Conversation {
  #text = "";

  /** `transport`, the one connection dialled by which is written down. */
  record(transport: Transport): Transport {
    return {
      ...transport,
      dial: async (address, options) =>
        new Tapped(await transport.dial(address, options), this),
    };
  }

  /** Writes down bytes that left (`O`) or came (`I`). */
  add(direction: "I" | "O", bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
      const packet = bytes.subarray(at, at + PACKET_BYTES);
      const hex = Array.from(
        packet,
        (byte) => byte.toString(16).padStart(2, "0"),
      );
      this.#text += `${direction}\n000000 ${hex.join(" ")}\n\n`;
    }
  }

  /** What `tshark` says with `args` of the conversation, as one on `port`. */
  async show(port: number, ...args: string[]): Promise<string> {
    await using folder = await makeFolder();
    const path = `${folder.path}/conversation`;
    await Deno.writeTextFile(path, this.#text);
    await run(
      "text2pcap",
      "-q",
      "-D",
      "-T",
      `40000,${port}`,
      path,
      `${path}.pcap`,
    );
    return await run("tshark", "-2", "-r", `${path}.pcap`, ...args);
  }
}

class Tapped extends ByteConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #inner: Connection;
  readonly #conversation: Conversation;

  constructor(inner: Connection, conversation: Conversation) {
    super();
    this.#inner = inner;
    this.#conversation = conversation;
    this.localAddress = inner.localAddress;
    this.remoteAddress = inner.remoteAddress;
  }

  protected async receive(buffer: Uint8Array): Promise<number | null> {
    const length = await this.#inner.read(buffer);
    if (length) this.#conversation.add("I", buffer.subarray(0, length));
    return length;
  }

  protected send(bytes: Uint8Array): Promise<void> {
    this.#conversation.add("O", bytes);
    return this.#inner.write(bytes);
  }

  protected sendEnd(): Promise<void> {
    return this.#inner.closeWrite();
  }

  protected drop(): Promise<void> {
    this.#inner.close();
    return this.#inner.closed;
  }
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
