import { MtomError } from '../wire/mtom/mtom-error.ts'
import { defaultPackageLimits, PackageReader } from '../wire/mtom/package.ts'
import { type Node, readTree, XmlError, type XmlTree } from '../wire/xml.ts'
import { escapeAttribute, escapeText } from '../wire/xml-write.ts'

/** What proves something, by local name: whoever reads it in a ticket could try to use it, or see whose it is. */
const secrets = new Set('SignatureValue X509Certificate DigestValue BinarySecurityToken CipherValue pinCode'.split(' '))

/** Whole documents: clinical, and too long to be read. */
const documents = new Set(['Document'])
const binary = /^[A-Za-z0-9+/\s]{1024,}=*$/

const secretHeaders = /^(?:authorization|proxy-authorization|cookie|set-cookie|dpop|agid-jwt-.*)$/i

/** Headers with what proves who sends them masked. */
export function maskedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, secretHeaders.test(name) ? mask(value) : value]),
  )
}

/**
 * A message for people, one element a line: signatures, digests, certificates and documents are told by their length. Of a
 * package only the message itself; what cannot be read is not shown.
 */
export function maskedMessage(body: Uint8Array, contentType = ''): string {
  if (body.length === 0) return ''
  try {
    const message = /^\s*multipart\/related\b/i.test(contentType) ? rootOf(contentType, body) : body
    if (message === undefined) return unreadable(body, contentType)
    const tree = readTree(message)
    return linesOf(tree, tree.root, '').join('\n')
  } catch (error) {
    if (error instanceof XmlError || error instanceof MtomError) return unreadable(body, contentType)
    throw error
  }
}

/** The message of an MTOM package, though the rest of it be cut off. Throws MtomError. */
export function rootOf(contentType: string, body: Uint8Array): Buffer | undefined {
  for (const event of new PackageReader(contentType, defaultPackageLimits).push(body)) {
    if (event.kind === 'root') return event.root.bytes
  }
  return undefined
}

/** Pages for people, which proxies answer, are shown; of half a message nobody can say what in it is secret. */
function unreadable(body: Uint8Array, contentType: string): string {
  const text = Buffer.from(body).toString('utf8')
  const isPage = /^\s*text\/(?:html|plain)\b/i.test(contentType) && !/signature|certificate|assertion/i.test(text)
  if (!isPage) return `[${body.length} bytes that cannot be read as a message]`
  return text.length > longestPage ? `${text.slice(0, longestPage)}…` : text
}

const longestPage = 2_000

function mask(text: string): string {
  return `[masked, ${text.trim().length} characters]`
}

function linesOf(tree: XmlTree, node: Node, indent: string): string[] {
  const name = qualified(tree.prefix(node), tree.local(node))
  const opening = `${indent}<${name}${attributesOf(tree, node)}`
  const children = tree.children(node)
  const text = shownText(tree, node)
  if (children.length === 0) return [text === '' ? `${opening}/>` : `${opening}>${text}</${name}>`]
  const inner = children.flatMap((child) => linesOf(tree, child, `${indent}  `))
  return [`${opening}>${text}`, ...inner, `${indent}</${name}>`]
}

function shownText(tree: XmlTree, node: Node): string {
  const text = tree.text(node).trim()
  if (text === '') return ''
  const local = tree.local(node)
  if (secrets.has(local)) return mask(text)
  if (documents.has(local) || binary.test(text)) return `[${text.length} characters of base64]`
  return escapeText(text)
}

/** With the namespace where the reader would not know it: that of the element, where it is another than around it. */
function attributesOf(tree: XmlTree, node: Node): string {
  const namespace = tree.namespace(node)
  const around = node === tree.root ? undefined : tree.parent(node)
  const prefix = tree.prefix(node)
  const isKnown = around !== undefined && tree.namespace(around) === namespace && tree.prefix(around) === prefix
  const declared = isKnown || namespace === '' ? '' : ` xmlns${prefix === '' ? '' : `:${prefix}`}="${namespace}"`
  const others = tree
    .attributes(node)
    .map((one) => ` ${qualified(one.prefix, one.local)}="${escapeAttribute(one.value)}"`)
  return declared + others.join('')
}

function qualified(prefix: string, local: string): string {
  return prefix === '' ? local : `${prefix}:${local}`
}
