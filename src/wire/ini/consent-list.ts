import { GatewayError } from '../../core/errors.ts'
import type { Consent } from '../../core/model/change.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeAttribute } from '../xml-write.ts'
import { element, Fields } from './notification.ts'

/**
 * Spells a list of consents as the schemas of the consents and of their notification have it in common (ini.md §7.2). Throws
 * RangeError on what XML cannot carry.
 */
export function encodeConsentList(consents: readonly Consent[]): string {
  return `<ConsentList>${consents.map(encodeConsent).join('')}</ConsentList>`
}

function encodeConsent({ name, given, date, note }: Consent): string {
  const dated = date === undefined ? '' : ` date="${escapeAttribute(date)}"`
  return (
    `<Consent${dated} name="${escapeAttribute(name)}">` +
    `${element('value', String(given))}${element('note', note ?? '')}</Consent>`
  )
}

/**
 * Reads a list that must hold consents, of each its name and whether it is given; the rest may be missing or empty. Throws
 * `parameter-missing`, `parameter-count` (also for a consent that is told twice) and `parameter-invalid`, with sentences
 * that repeat nothing.
 */
export function readConsentList(tree: XmlTree, list: Node, namespace: string): readonly Consent[] {
  const nodes = list === NONE ? [] : tree.children(list, namespace, 'Consent')
  if (nodes.length === 0) throw new GatewayError('parameter-missing', 'ConsentList has no Consent')
  const consents = nodes.map((node) => readConsent(tree, node, namespace))
  if (new Set(consents.map(({ name }) => name)).size < consents.length) {
    throw new GatewayError('parameter-count', 'A Consent may stand only once')
  }
  return consents
}

function readConsent(tree: XmlTree, node: Node, namespace: string): Consent {
  const fields = new Fields(tree, node, { namespace })
  const name = tree.attribute(node, 'name')?.trim() ?? ''
  if (name === '') throw new GatewayError('parameter-missing', 'A Consent has no name')
  const given = readXmlBoolean(fields.required('value'))
  if (given === undefined) throw new GatewayError('parameter-invalid', 'The value of a Consent must be true or false')
  const texts = { date: tree.attribute(node, 'date')?.trim() || undefined, note: fields.optional('note') }
  return { name, given, ...known(texts) }
}

/** XML Schema Part 2 §3.2.2; `undefined` for what is none. */
export function readXmlBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  return undefined
}

/** What is there of several texts. */
export function known<Name extends string>(
  texts: Readonly<Record<Name, string | undefined>>,
): Partial<Record<Name, string>> {
  const there = Object.entries<string | undefined>(texts).filter(([, text]) => text !== undefined)
  return Object.fromEntries(there) as Partial<Record<Name, string>>
}
