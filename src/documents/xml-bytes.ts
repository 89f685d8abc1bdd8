import { Buffer } from 'node:buffer'
import { DocumentError } from './document-error.ts'

/** Encodings that older producers declare, beside UTF-8. Latin-1 is read as the superset that browsers read it as. */
const older = new Set(['iso-8859-1', 'iso-8859-15', 'windows-1252', 'utf-16', 'utf-16le', 'utf-16be'])

const declaration = /^<\?xml\s(?:[^?]|\?(?!>))*\?>/
const declaredEncoding = /\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/

/** Longer XML declarations are not looked for; real ones have 60 bytes. */
const longestDeclaration = 1024

/** Whether the bytes begin as XML does: with `<`, after a byte order mark and white space. */
export function beginsAsXml(bytes: Uint8Array): boolean {
  if (byteOrderMark(bytes)?.startsWith('utf-16') === true) return true
  let at = byteOrderMark(bytes) === 'utf-8' ? 3 : 0
  while (at < bytes.length && ' \t\r\n'.includes(String.fromCharCode(bytes[at] as number))) at++
  return bytes[at] === 0x3c
}

/**
 * The same document as our XML reader takes it: in UTF-8, and with spaces in place of processing instructions before
 * the root (CDAs commonly name a stylesheet there, which nobody here follows). To be read, never to be handed out; bytes
 * that are UTF-8 keep their offsets. Throws DocumentError `encoding-unsupported`.
 */
export function readableXml(bytes: Uint8Array): Uint8Array {
  const encoding = encodingOf(bytes)
  if (encoding === 'utf-8' || encoding === 'us-ascii') return withoutInstructions(bytes)
  if (!older.has(encoding)) throw new DocumentError('encoding-unsupported')
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    const declared = declaration.exec(text.slice(0, longestDeclaration))?.[0].length ?? 0
    return withoutInstructions(Buffer.from(text.slice(declared)))
  } catch (cause) {
    throw new DocumentError('encoding-unsupported', cause)
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8' : undefined
}

function encodingOf(bytes: Uint8Array): string {
  const marked = byteOrderMark(bytes)
  if (marked !== undefined) return marked
  const head = Buffer.from(bytes.subarray(0, longestDeclaration)).toString('latin1')
  const declared = declaration.exec(head)?.[0] ?? ''
  return declaredEncoding.exec(declared)?.[1]?.toLowerCase() ?? 'utf-8'
}

/** XML 1.0 §2.8: what may stand before the root, passed over up to the first thing that is something else. */
function withoutInstructions(bytes: Uint8Array): Uint8Array {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let blanked: Buffer | undefined
  let at = byteOrderMark(bytes) === 'utf-8' ? 3 : 0
  at += declaration.exec(source.toString('latin1', at, at + longestDeclaration))?.[0].length ?? 0
  for (;;) {
    const less = source.indexOf('<', at)
    if (less < 0) break
    const comment = source[less + 1] === 0x21 && source[less + 2] === 0x2d
    const instruction = source[less + 1] === 0x3f
    if (!comment && !instruction) break
    const end = source.indexOf(comment ? '-->' : '?>', less + 2)
    if (end < 0) break
    at = end + (comment ? 3 : 2)
    if (!instruction) continue
    blanked ??= Buffer.from(source)
    blanked.fill(0x20, less, at)
  }
  return blanked ?? bytes
}
