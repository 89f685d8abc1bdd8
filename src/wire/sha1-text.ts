import { Buffer } from 'node:buffer'

const hexadecimal = /^[0-9a-fA-F]{40}$/

/**
 * The SHA-1 that a text spells, as 40 hexadecimal digits in small letters: those digits, the base64 of the 20 bytes (MHD 4.2.4;
 * Lazio in XDS, ini.md §3.1), or the base64 of the digits (the example of MHD). Undefined for anything else.
 */
export function sha1Of(text: string): string | undefined {
  if (hexadecimal.test(text)) return text.toLowerCase()
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 20 && /^[A-Za-z0-9+/]{27}=?$/.test(text)) return bytes.toString('hex')
  const inner = bytes.toString('latin1')
  return hexadecimal.test(inner) ? inner.toLowerCase() : undefined
}
