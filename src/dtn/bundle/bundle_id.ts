import { type Bundle, payloadOf } from "./bundle.ts";

/**
 * Names `bundle` as dtn7-rs does, `source-time-sequence`, which no other has (RFC 9171 §4.2.7); a fragment's name goes on with its
 * offset and the length of its payload, as both tell it from other fragments.
 */
export function bundleId(bundle: Bundle): string {
  const { source, creation, fragment } = bundle.primary;
  const id = `${source}-${creation.timeMs}-${creation.sequence}`;
  return fragment === undefined
    ? id
    : `${id}-${fragment.offset}-${payloadOf(bundle).length}`;
}

/** The name of the whole bundle of which `id`, a name that {@link bundleId} gave, is a fragment's; `undefined` if it is no fragment's. */
export function wholeIdOf(id: string, source: string): string | undefined {
  const [time, sequence, offset] = id.slice(source.length + 1).split("-");
  return offset === undefined ? undefined : `${source}-${time}-${sequence}`;
}
