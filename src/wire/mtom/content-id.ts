import { MtomError } from './mtom-error.ts'

const pattern = /^(?:<([\x21-\x3b\x3d\x3f-\x7e]+)>|([\x21-\x3b\x3d\x3f-\x7e]+))$/

/**
 * The identifier in a Content-ID header, or in the `start` of a Content-Type: without its angle brackets, which some
 * peers leave out. More than RFC 2045 §7 allows is taken (WCF writes a URL, CXF a bare UUID), but no blanks and nothing
 * beyond ASCII. Throws MtomError `content-id`.
 */
export function contentIdOf(value: string, offset?: number): string {
  const [, enclosed, plain] = pattern.exec(trimBlanks(value)) ?? []
  const id = enclosed ?? plain
  if (id === undefined) throw new MtomError('content-id', offset)
  return id
}

/** A text without the blanks and tabs around it. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start++
  while (end > start && isBlank(text[end - 1])) end--
  return text.slice(start, end)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}

/** Whether a text can stand between the angle brackets of a Content-ID. */
export function isContentId(text: string): boolean {
  return pattern.exec(text)?.[2] !== undefined
}

/**
 * The Content-ID that a `cid:` URL refers to, percent-decoded once (RFC 2392 §2). Throws MtomError `include-elsewhere`
 * for any other URL, a relative one among them, and `include` for one that cannot be decoded.
 */
export function contentIdOfUrl(url: string, offset?: number): string {
  if (!/^cid:/i.test(url)) throw new MtomError('include-elsewhere', offset)
  const encoded = url.slice('cid:'.length)
  if (encoded === '') throw new MtomError('include', offset)
  try {
    return decodeURIComponent(encoded)
  } catch (cause) {
    throw new MtomError('include', offset, cause)
  }
}

/** Left as they are: there are readers that do not decode, and a URL's opaque part may have them (RFC 3986 §3.3). */
const spared: Readonly<Record<string, string>> = { '%40': '@', '%3A': ':', '%2B': '+', '%3D': '=' }

/** The `cid:` URL of a Content-ID. */
export function cidUrl(contentId: string): string {
  return `cid:${encodeURIComponent(contentId).replace(/%(?:40|3A|2B|3D)/g, (code) => spared[code] ?? code)}`
}
