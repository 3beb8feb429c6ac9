import type { MessageEvents, MessagePeer } from "../../core/transport/mod.ts";
import type { GroupEvent, Published } from "../group/group.ts";
import type { Follower, GroupFeed } from "./group_feed.ts";
import type { GroupJson } from "./group_json.ts";

/** Messages that an application has and did not answer, and bytes that it did not read, beyond which it is too slow. */
const MAX_GIVEN = 64;
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;
const MAX_TEXT = 1_024;
/** Codes of WebSockets, as those of messages have them. */
const CLOSE = { done: 1000, unsupported: 1003, tooMuch: 4013 };

/**
 * A WebSocket over which an application follows a group.
 *
 * ```text
 * it gets     {"n":1,"id":…,"from":{"id":…,"name":…},"type":…,"priority":…,"epoch":…,"value":…}
 *             {"event":"epoch"|"evidence"|"healing",…}
 * it answers  {"n":1}
 * ```
 */
export class GroupSocket implements MessageEvents, Follower {
  readonly #peer: MessagePeer;
  readonly #json: GroupJson;
  readonly #following: Disposable;
  readonly #onClosed: () => void;
  readonly #given = new Map<number, () => void>();
  #n = 0;
  #isClosed = false;

  /** Follows at once. */
  constructor(
    peer: MessagePeer,
    feed: Pick<GroupFeed, "follow">,
    { json, onClosed }: {
      readonly json: GroupJson;
      readonly onClosed: () => void;
    },
  ) {
    this.#peer = peer;
    this.#json = json;
    this.#onClosed = onClosed;
    this.#following = feed.follow(this);
  }

  /** Gives the application a message. */
  published(published: Published, done: () => void): void {
    if (this.#given.size >= MAX_GIVEN) return this.#tooSlow();
    const n = ++this.#n;
    this.#given.set(n, done);
    this.#send(`{"n":${n},${this.#json.published(published).slice(1)}`);
  }

  /** Tells the application of an event. */
  happened(event: GroupEvent): void {
    this.#send(JSON.stringify(this.#json.event(event)));
  }

  /** The node closes, or the group is forgotten. */
  ended(): void {
    this.#end(CLOSE.done, "The group is not here any more");
  }

  /** The application is done with a message. */
  message(message: string | Uint8Array): void {
    if (this.#isClosed) return;
    const n = numberIn(message);
    if (n === undefined) return this.#end(CLOSE.unsupported, 'Want {"n":…}');
    const done = this.#given.get(n);
    this.#given.delete(n);
    done?.();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#following[Symbol.dispose]();
    this.#given.clear();
    this.#onClosed();
  }

  /** Closes it. */
  close(): void {
    this.#end(CLOSE.done, "The node closes");
  }

  #send(text: string): void {
    if (this.#isClosed) return;
    if (this.#peer.bufferedBytes > MAX_BUFFERED_BYTES) return this.#tooSlow();
    this.#peer.send(text);
  }

  #tooSlow(): void {
    this.#end(CLOSE.tooMuch, "Too slow");
  }

  #end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#peer.close(code, reason);
    this.closed();
  }
}

function numberIn(message: string | Uint8Array): number | undefined {
  if (typeof message !== "string" || message.length > MAX_TEXT) {
    return undefined;
  }
  try {
    const { n } = Object(JSON.parse(message)) as { readonly n?: unknown };
    return typeof n === "number" ? n : undefined;
  } catch {
    return undefined;
  }
}
