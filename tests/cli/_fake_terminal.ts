import type { EndSignal, Terminal } from "../../cli/_terminal.ts";

/** A terminal in memory. */
export class FakeTerminal implements Terminal {
  readonly interactive: boolean = false;
  readonly columns = 80;
  readonly stdin = new ReadableStream<Uint8Array<ArrayBuffer>>();
  readonly stdout = new WritableStream<Uint8Array>();
  readonly listeners = new Set<(name: EndSignal) => void>();
  readonly statuses: string[] = [];
  out = "";
  err = "";
  exitCode: number | undefined;

  constructor(readonly args: readonly string[], interactive = false) {
    this.interactive = interactive;
  }

  env = (): undefined => undefined;
  print = (line: string): void => void (this.out += `${line}\n`);
  note = (line: string): void => void (this.err += `${line}\n`);
  status = (line: string): void => void this.statuses.push(line);

  onSignal = (listener: (name: EndSignal) => void): Disposable => {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => this.listeners.delete(listener) };
  };

  exit = (code: number): never => {
    this.exitCode ??= code;
    return undefined as never;
  };

  /** Waits until the command listens, then sends it `name`. */
  async send(name: EndSignal): Promise<void> {
    while (this.listeners.size === 0) await Promise.resolve();
    for (const listener of this.listeners) listener(name);
  }
}
