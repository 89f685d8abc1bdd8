import { randomUUID } from 'node:crypto'

/** One part of a package beside its message. */
export interface Part {
  readonly contentId: string
  readonly contentType: string
  readonly bytes: Buffer
}

/** A package as it was read: the message, and the bytes of the other parts by their Content-ID. */
export interface Package {
  readonly root: string
  readonly parts: ReadonlyMap<string, Buffer>
}

const xop = 'http://www.w3.org/2004/08/xop/include'
const rootType = 'application/xop+xml'
const soapType = 'application/soap+xml'

/** `multipart/related` whatever else is said about it. */
export function isPackage(contentType: string | undefined): boolean {
  return /^multipart\/related\s*;/i.test(contentType ?? '')
}

/** A message with its parts (SOAP MTOM §3, XOP §4; ihe.md §1.4). */
export function writePackage(root: string, parts: readonly Part[]) {
  const boundary = `MIME_${randomUUID()}`
  const rootId = `${randomUUID()}@example`
  const part = (contentId: string, contentType: string, bytes: Buffer): Buffer[] => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${contentId}>\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]
  return {
    contentType: `multipart/related; type="${rootType}"; start="<${rootId}>"; start-info="${soapType}"; boundary="${boundary}"`,
    body: Buffer.concat([
      ...part(rootId, `${rootType}; charset=UTF-8; type="${soapType}"`, Buffer.from(root)),
      ...parts.flatMap(({ contentId, contentType, bytes }) => part(contentId, contentType, bytes)),
      Buffer.from(`--${boundary}--\r\n`),
    ]),
  }
}

/** What stands in the message in place of a part's bytes. */
export function include(contentId: string): string {
  return `<xop:Include xmlns:xop="${xop}" href="cid:${encodeURIComponent(contentId)}"/>`
}

/** The Content-ID an include points at; `undefined` where the text is none. */
export function includedIn(xml: string): string | undefined {
  const [, href] = /^<(?:\w+:)?Include [^>]*href="cid:([^"]+)"[^>]*\/>$/.exec(xml) ?? []
  return href === undefined || !xml.includes(xop) ? undefined : decodeURIComponent(href)
}

/** Reads a package to the letter: everything that must be said is said, and nothing is left over. Throws Error. */
export function readPackage(contentType: string, body: Buffer): Package {
  const parameter = (name: string): string => {
    const [, quoted, bare] = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(contentType) ?? []
    return quoted ?? bare ?? ''
  }
  const must = (right: boolean, what: string): void => {
    if (!right) throw new Error(`The package is not MTOM: ${what}`)
  }
  const boundary = parameter('boundary')
  must(isPackage(contentType) && boundary !== '', 'no boundary')
  must(parameter('type') === rootType, 'its type')
  must(parameter('start-info') === soapType, 'its start-info')
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const bytes = Buffer.concat([Buffer.from('\r\n'), body])
  let at = bytes.indexOf(delimiter)
  must(at >= 0, 'no part')
  const parts = new Map<string, Buffer>()
  let rootHeaders = ''
  while (bytes.toString('latin1', at + delimiter.length, at + delimiter.length + 2) === '\r\n') {
    const headersEnd = bytes.indexOf('\r\n\r\n', at + delimiter.length)
    const end = bytes.indexOf(delimiter, headersEnd)
    must(headersEnd >= 0 && end >= 0, 'a part without an end')
    const headers = bytes.toString('latin1', at + delimiter.length, headersEnd)
    const [, contentId = ''] = /\r\nContent-ID: <([^>\r]+)>/i.exec(headers) ?? []
    must(contentId !== '' && !parts.has(contentId), 'a part without an id of its own')
    must(/\r\nContent-Transfer-Encoding: (binary|8bit)/i.test(headers), 'the encoding of a part')
    if (`<${contentId}>` === parameter('start')) rootHeaders = headers
    parts.set(contentId, bytes.subarray(headersEnd + 4, end))
    at = end
  }
  must(bytes.toString('latin1', at + delimiter.length) === '--\r\n', 'no end, or something behind it')
  must(/\r\nContent-Type: application\/xop\+xml;[^\r]*type="?application\/soap\+xml/i.test(rootHeaders), 'its root')
  const rootId = parameter('start').slice(1, -1)
  const root = parts.get(rootId)?.toString('utf8') ?? ''
  parts.delete(rootId)
  return { root, parts }
}
