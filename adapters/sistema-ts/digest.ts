// The platform's own: an adapter imports no module of Node, and a digest is neither input nor output.

/** SHA-1, as metadata of documents state it: lower-case hexadecimal. */
export async function sha1(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hexadecimal(await digest(bytes))
}

/** RFC 9562 §6.6: the namespace of names that are OIDs. */
const oidNamespace = [0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8]

/**
 * The entryUUID of a document nobody has registered: from its unique id, so that it is the same whenever the document is
 * told of (RFC 9562 §5.5, version 5).
 */
export async function entryUuidOf(uniqueId: string): Promise<string> {
  const name = new TextEncoder().encode(uniqueId)
  const bytes = (await digest(new Uint8Array([...oidNamespace, ...name]))).slice(0, 16)
  const [version, variant] = [bytes[6] ?? 0, bytes[8] ?? 0]
  bytes[6] = (version & 0x0f) | 0x50
  bytes[8] = (variant & 0x3f) | 0x80
  const text = hexadecimal(bytes)
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)]
  return `urn:uuid:${parts.join('-')}`
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-1', bytes))
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
