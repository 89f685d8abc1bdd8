/** The members of a JSON object. Read them by `member`: a claim may be called `constructor`. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Why a text is not taken for a JSON object; `reason` is a verb and its object in kebab-case, for the log. */
export class JsonRefusal extends Error {
  override readonly name = 'JsonRefusal'
  readonly reason: string

  constructor(reason: string) {
    super(`The text ${reason.replaceAll('-', ' ')}`)
    this.reason = reason
  }
}

const maxDepth = 16
/** Named members, objects and arrays together. */
const maxMembers = 4_096

/**
 * Reads one JSON object (RFC 8259) that every reader understands alike (RFC 7493): UTF-8 without a byte order mark, no name
 * twice in one object at any depth however it is escaped, no lone surrogates; bounded in depth and members. Throws
 * JsonRefusal.
 */
export function readJsonObject(bytes: Uint8Array): JsonObject {
  const text = utf8(bytes)
  requireUnambiguous(text)
  const value = parsed(text)
  if (!isJsonObject(value)) throw new JsonRefusal('is-not-an-object')
  return value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own member's value; undefined when there is none. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new JsonRefusal('is-not-utf-8')
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonRefusal('is-not-json')
  }
}

/**
 * Throws where JSON.parse would silently take the last of two members, or where nesting or width has no end. It looks at
 * strings and brackets only: what is no JSON at all is found out by the parser afterwards.
 */
function requireUnambiguous(text: string): void {
  // The names seen in each open object; arrays have none.
  const open: (Set<string> | undefined)[] = []
  let names: Set<string> | undefined
  let nameComes = false
  let members = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22 /* " */:
        {
          const end = endOfString(text, at)
          if (nameComes && names !== undefined) {
            const name = stringAt(text, at, end)
            if (names.has(name)) throw new JsonRefusal('repeats-a-member')
            if (++members > maxMembers) throw new JsonRefusal('has-too-many-members')
            names.add(name)
          } else {
            stringAt(text, at, end)
          }
          at = end
          break
        }
      case 0x7b /* { */:
      case 0x5b /* [ */:
        names = text.charCodeAt(at) === 0x7b ? new Set() : undefined
        nameComes = names !== undefined
        if (open.push(names) > maxDepth) throw new JsonRefusal('is-nested-too-deeply')
        if (++members > maxMembers) throw new JsonRefusal('has-too-many-members')
        break
      case 0x7d /* } */:
      case 0x5d /* ] */:
        open.pop()
        names = open.at(-1)
        break
      case 0x2c /* , */:
        nameComes = names !== undefined
        break
      case 0x3a /* : */:
        nameComes = false
        break
    }
  }
}

/** The place of the quotation mark that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes++
    if (escapes % 2 === 0) return end
  }
  throw new JsonRefusal('is-not-json')
}

/** A string as it is meant; only `\u` can make one that is no Unicode text, as the bytes were UTF-8. */
function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end)
  if (!raw.includes('\\')) return raw
  const value = parsed(text.slice(start, end + 1))
  if (typeof value !== 'string' || !value.isWellFormed()) throw new JsonRefusal('is-not-unicode-text')
  return value
}
