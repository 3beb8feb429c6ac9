import type { Clock } from "../../core/async/mod.ts";
import { equal, utf8 } from "../../core/bytes/mod.ts";
import type { MessageEvents, MessagePeer } from "../../core/transport/mod.ts";
import { decodeBundle } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { BundleError } from "../bundle/error.ts";
import type { Quirk } from "../bundle/quirk.ts";
import type { DtnNode } from "../node/dtn_node.ts";
import { DtnNodeError } from "../node/error.ts";
import type { Delivery, Registration } from "../node/registration.ts";
import { endpointOf, ownEndpointOf } from "./endpoint_of.ts";
import { lifetimeOf } from "./lifetime_of.ts";
import { OutgoingDeliveries } from "./outgoing_deliveries.ts";
import {
  decodeSocketRequest,
  encodeForSocket,
  type SocketMode,
} from "./socket_messages.ts";
import { STATUS_OF } from "./status_of.ts";

/** Parts and options of {@link ApplicationSocket}. */
export interface ApplicationSocketOptions {
  /** The node. */
  readonly node: DtnNode;
  /** What the application must say with `/token` before anything else; nothing if absent. */
  readonly token?: string;
  /** Longest message. */
  readonly maxBytes: number;
  /** What to overlook in its bundles. */
  readonly quirks: readonly Quirk[];
  /** Time. */
  readonly clock: Clock;
}

const TOKEN_MS = 10_000;
const MAX_UNANSWERED = 1_024;
/** Of answers that the application does not read. */
const MAX_UNREAD_BYTES = 1_048_576;
const MAX_SUBSCRIPTIONS = 64;
const MAX_COMMAND_LENGTH = 4_096;
/** Codes of WebSockets that IANA registered, and two of our own. */
const CLOSE = {
  done: 1000,
  unauthorized: 3000,
  timeout: 3008,
  failed: 4011,
  tooMuch: 4013,
};

/**
 * A WebSocket of an application, which speaks as dtn7-rs's `/ws` does: commands are texts, bundles are binary.
 *
 * Each message is answered in turn, by a text that begins with a status as of HTTP: what is sent, once it is stored. With `/acks`,
 * which dtn7-rs has not, each bundle that came is to be acknowledged by `/ack <name>`.
 */
export class ApplicationSocket implements MessageEvents {
  readonly #peer: MessagePeer;
  readonly #options: ApplicationSocketOptions;
  readonly #deliveries: OutgoingDeliveries;
  readonly #registrations = new Map<string, Registration>();
  #mode: SocketMode = "json";
  #isAuthorized: boolean;
  #cancelDeadline: () => void = () => {};
  #unanswered = 0;
  #unansweredBytes = 0;
  #answers: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Waits for messages. */
  constructor(peer: MessagePeer, options: ApplicationSocketOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#deliveries = new OutgoingDeliveries(peer, options.clock);
    this.#isAuthorized = options.token === undefined;
    if (this.#isAuthorized) return;
    this.#cancelDeadline = options.clock.setTimeout(
      () => this.#end(CLOSE.timeout, "No token"),
      TOKEN_MS,
    );
  }

  /** Whether the token was said, if one is wanted. */
  get isAuthorized(): boolean {
    return this.#isAuthorized;
  }

  /** Takes a message. */
  message(message: string | Uint8Array): void {
    if (this.#isClosed) return;
    const { length } = message;
    const unread = this.#peer.bufferedBytes - this.#deliveries.bytes;
    const isFull = this.#unanswered >= MAX_UNANSWERED ||
      unread > MAX_UNREAD_BYTES ||
      this.#unanswered > 0 &&
        this.#unansweredBytes + length > this.#options.maxBytes;
    if (isFull) return this.#end(CLOSE.tooMuch, "Too much is not answered");
    this.#unanswered++;
    this.#unansweredBytes += length;
    const answering = this.#answer(message);
    this.#answers = this.#answers.then(async () => {
      const answer = await answering;
      this.#unanswered--;
      this.#unansweredBytes -= length;
      this.#peer.send(answer);
    });
  }

  /** The socket is gone: what the application has not taken waits for the next. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelDeadline();
    this.#deliveries.close();
    for (const each of this.#registrations.values()) each[Symbol.dispose]();
    this.#registrations.clear();
  }

  /** Closes it. */
  close(): void {
    this.#end(CLOSE.done, "The node closes");
  }

  async #answer(message: string | Uint8Array): Promise<string> {
    try {
      if (typeof message === "string") return this.#command(message.trim());
      if (!this.#isAuthorized) return this.#refuse();
      return await this.#send(message);
    } catch (error) {
      if (error instanceof DtnNodeError) {
        return `${STATUS_OF[error.code]} ${error.message}`;
      }
      if (error instanceof BundleError || error instanceof RangeError) {
        return `400 ${error.message}`;
      }
      return "500 internal error";
    }
  }

  #command(text: string): string {
    const [, name = "", argument = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
    if (name === "/token") return this.#authorize(argument);
    if (!this.#isAuthorized) return this.#refuse();
    if (text.length > MAX_COMMAND_LENGTH) return "400 the command is too long";
    switch (name) {
      case "/node":
        return `200 node: ${this.#options.node.nodeId}`;
      case "/bundle":
        this.#mode = "bundle";
        return "200 tx mode: bundle";
      case "/data":
        this.#mode = "data";
        return "200 tx mode: data";
      case "/json":
        this.#mode = "json";
        return "200 tx mode: JSON";
      case "/acks":
        this.#deliveries.isAcknowledged = true;
        return "200 acknowledge each bundle";
      case "/ack":
        return this.#deliveries.acknowledge(argument)
          ? `200 acknowledged ${argument}`
          : "404 bundle not found";
      case "/subscribe":
        return this.#subscribe(argument);
      case "/unsubscribe":
        return this.#unsubscribe(argument);
      default:
        return "501 unknown command";
    }
  }

  #authorize(token: string): string {
    const { token: wanted } = this.#options;
    if (wanted !== undefined && !equal(utf8(token), utf8(wanted))) {
      return this.#refuse();
    }
    this.#isAuthorized = true;
    this.#cancelDeadline();
    return "200 authorized";
  }

  #refuse(): string {
    this.#end(CLOSE.unauthorized, "Unauthorized");
    return "401 unauthorized";
  }

  #subscribe(text: string): string {
    if (text === "") return "400 endpoint is missing";
    const { node } = this.#options;
    const endpoint = ownEndpointOf(text, node.nodeId);
    const key = `${endpoint}`;
    if (this.#registrations.has(key)) return "200 subscribed";
    if (this.#registrations.size >= MAX_SUBSCRIPTIONS) {
      return `429 ${MAX_SUBSCRIPTIONS} endpoints at most`;
    }
    const registration = node.register(endpoint);
    this.#registrations.set(key, registration);
    const encode = ({ bundle }: Delivery) =>
      encodeForSocket(bundle, this.#mode);
    void this.#afterAnswers(async () => {
      await this.#deliveries.follow(registration, encode);
    }).catch(() => this.#end(CLOSE.failed, "Internal error"));
    return "200 subscribed";
  }

  #unsubscribe(text: string): string {
    const key = `${endpointOf(text, this.#options.node.nodeId)}`;
    const registration = this.#registrations.get(key);
    if (!registration) return "404 endpoint not found";
    this.#registrations.delete(key);
    registration[Symbol.dispose]();
    this.#deliveries.drop(registration);
    return "200 unsubscribed";
  }

  async #send(message: Uint8Array): Promise<string> {
    const { node, maxBytes, quirks } = this.#options;
    if (message.length > maxBytes) return "413 the message is too long";
    if (this.#mode === "bundle") {
      await node.insert(decodeBundle(message, { quirks }));
      return `200 Sent payload with ${message.length} bytes`;
    }
    const request = decodeSocketRequest(message, this.#mode);
    const { payload, lifetimeMs, reportsDelivery } = request;
    const id = await node.send({
      payload,
      source: ownEndpointOf(request.source, node.nodeId),
      destination: endpointOf(request.destination, node.nodeId),
      lifetimeMs: lifetimeOf(`${lifetimeMs}`),
      flags: reportsDelivery ? BUNDLE_FLAG.reportDelivery : 0,
    });
    return `200 Sent bundle ${id} with ${payload.length} bytes`;
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    void this.#afterAnswers(() => this.#peer.close(code, reason));
    this.closed();
  }

  /** Does something once what is being answered has been. */
  async #afterAnswers(then: () => void | Promise<void>): Promise<void> {
    await Promise.resolve();
    await this.#answers;
    await then();
  }
}
