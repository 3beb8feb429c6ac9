/** The body of an HTTP request; `undefined` if it has more than `maxBytes`, and then the rest is not read. */
export async function readBody(
  { body }: Pick<Request, "body">,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return await new Blob(parts).bytes();
}
