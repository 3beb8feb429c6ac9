/** What FoxIO's captures are known to hold. */
const DIRECTORY = new URL("../vectors/foxio/", import.meta.url);

/** A hello with its published fingerprints. */
export interface PublishedHello {
  readonly source: string;
  readonly frame: number;
  readonly transport: "t" | "q";
  readonly client_hello: string;
  readonly expected: {
    readonly ja3: string;
    readonly ja3_text: string;
    readonly ja4: string;
    readonly ja4_r: string;
    readonly ja4_o: string;
    readonly ja4_ro: string;
    readonly ja4_rust: string | null;
  };
}

/** What a golden says of one stream. */
export interface GoldenStream {
  /** Address and port of who sent the hello. */
  readonly source: string;
}

/** Goldens of one capture. */
export interface Golden {
  /** By FoxIO's Python program: every hello of a stream. */
  readonly python?: readonly (GoldenStream & { readonly ja4: string[] })[];
  /** By its Rust program: the first hello of a stream. */
  readonly rust?: readonly (GoldenStream & {
    readonly transport: "tcp" | "udp";
    readonly ja4: string;
  })[];
}

/** `hellos.json`. */
export function publishedHellos(): {
  readonly foxio: readonly PublishedHello[];
  readonly spec_examples: {
    readonly ja3: readonly { readonly text: string; readonly md5: string }[];
    readonly ja4: readonly Record<string, string>[];
    readonly ja4_alpn: readonly {
      readonly first_alpn_hex: string;
      readonly chars: string;
    }[];
    readonly akamai: readonly { readonly text: string; readonly md5: string }[];
  };
} {
  return JSON.parse(Deno.readTextFileSync(new URL("hellos.json", DIRECTORY)));
}

/** `expected.json`: goldens by capture. */
export function goldens(): Record<string, Golden> {
  return JSON.parse(Deno.readTextFileSync(new URL("expected.json", DIRECTORY)));
}

/** The bytes of a capture. */
export function foxioCapture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, DIRECTORY));
}

/** Names of the captures. */
export function foxioCaptures(): string[] {
  return [...Deno.readDirSync(DIRECTORY)].map(({ name }) => name)
    .filter((name) => /\.(pcap|pcapng|cap)$/.test(name)).sort();
}
