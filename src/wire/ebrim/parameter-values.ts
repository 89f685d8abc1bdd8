import { GatewayError } from '../../core/errors.ts'
import type { CodeQuery } from '../../core/model/code.ts'

/**
 * The items of one rim:Value of a parameter (ITI TF-2: 3.18.4.1.2.3.5): `'one'`, or `('several','of them')`, a quote
 * inside doubled. Numbers stand unquoted, and so does any other text INI and some registries send. Throws
 * `parameter-invalid`.
 */
export function readItems(value: string, parameter: string): string[] {
  const text = value.trim()
  if (!text.startsWith('(')) {
    if (!text.startsWith("'")) return text === '' ? [] : [bare(text, parameter)]
    const { item, end } = quoted(text, 0, parameter)
    if (end !== text.length) throw malformed(parameter)
    return [item]
  }
  const items: string[] = []
  let at = skipSpace(text, 1)
  if (text[at] === ')' && at === text.length - 1) return items
  for (;;) {
    if (text[at] === "'") {
      const { item, end } = quoted(text, at, parameter)
      items.push(item)
      at = skipSpace(text, end)
    } else {
      const end = endOfBare(text, at)
      items.push(bare(text.slice(at, end).trim(), parameter))
      at = end
    }
    if (text[at] === ')' && at === text.length - 1) return items
    if (text[at] !== ',') throw malformed(parameter)
    at = skipSpace(text, at + 1)
  }
}

function quoted(text: string, from: number, parameter: string): { item: string; end: number } {
  let item = ''
  for (let at = from + 1; ; ) {
    const end = text.indexOf("'", at)
    if (end < 0) throw malformed(parameter)
    item += text.slice(at, end)
    if (text[end + 1] !== "'") {
      if (item === '') throw malformed(parameter)
      return { item, end: end + 1 }
    }
    item += "'"
    at = end + 2
  }
}

function bare(text: string, parameter: string): string {
  if (text === '' || /['"()]/.test(text)) throw malformed(parameter)
  return text
}

function endOfBare(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== ',' && text[at] !== ')') at++
  return at
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text.charAt(at))) at++
  return at
}

function malformed(parameter: string): GatewayError {
  return new GatewayError('parameter-invalid', `The value of ${parameter} is not a quoted string or a list of them`)
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Schema type LongName: a rim:Value has at most 256 characters (ebRIM 3.0: 2.2). */
const longestValue = 256

/** The items as lists in parentheses: one in each, or, `joined`, as many as a rim:Value can hold. */
export function writeLists(items: readonly string[], joined: boolean): string[] {
  const lists: string[] = []
  let open: string | undefined
  for (const item of items) {
    const more = quote(item)
    if (open !== undefined && joined && open.length + more.length + 3 <= longestValue) open += `,${more}`
    else {
      if (open !== undefined) lists.push(`(${open})`)
      open = more
    }
  }
  if (open !== undefined) lists.push(`(${open})`)
  return lists
}

/** Reads `code^^scheme`, or a bare code, which INI sends for event codes. Throws `parameter-invalid`. */
export function readCodeQuery(item: string, parameter: string): CodeQuery {
  const [code = '', middle, scheme, ...others] = item.split('^')
  if (code !== '' && middle === undefined) return { code }
  if (code === '' || middle !== '' || scheme === undefined || scheme === '' || others.length > 0)
    throw new GatewayError('parameter-invalid', `A code of ${parameter} must have the form code^^scheme`)
  return { code, scheme }
}

export function writeCodeQuery({ code, scheme }: CodeQuery): string {
  return scheme === undefined ? code : `${code}^^${scheme}`
}
