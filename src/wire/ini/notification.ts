import { GatewayError } from '../../core/errors.ts'
import type { NotificationName } from '../../core/federation/notifications.ts'
import { type HomeCommunityId, homeCommunityId } from '../../core/model/identifiers.ts'
import { authorities, type PatientId, patientId } from '../../core/model/patient.ts'
import { parseCx } from '../hl7/cx.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeAttribute, escapeText } from '../xml-write.ts'

/** A notification as its contract names it. */
export interface NotificationMessage {
  readonly name: NotificationName
  /** That of NotifyHiding and NotifyConsent is told by no public source; it follows the other two here (ini.md §9 no. 1). */
  readonly action: string
  readonly namespace: string
}

/** What a message of this family is called: its root is the name and `Request` or `Response`. */
export interface MessageName {
  readonly name: string
  readonly namespace: string
}

/** The names that a notification goes by (ini.md §7.2). */
export function notificationMessage(name: NotificationName): NotificationMessage {
  return {
    name,
    action: `urn:fse:${name}`,
    namespace: `http://www.fascicolosanitario.gov.it/schema/typeSchema${name}`,
  }
}

/** The home of an organization's code (`030`), where there is one. */
export type HomeOf = (organizationCode: string) => HomeCommunityId | undefined

/** How a notification was taken. An error may stand beside either status: the code decides (ini.md §6.2 no. 2). */
export interface NotificationOutcome {
  readonly status: 'success' | 'failure'
  readonly error?: { readonly code: string; readonly context: string }
}

/**
 * Spells the answer. The schema requires an error even where there is none: its attributes are empty then. Throws
 * RangeError on what XML cannot carry.
 */
export function encodeNotificationResponse(
  { name, namespace }: MessageName,
  { status, error }: NotificationOutcome,
): string {
  return `<${name}Response xmlns="${namespace}">${statusElement(status)}${errorElement(error)}</${name}Response>`
}

/** The first field of every answer of this family. */
export function statusElement(status: NotificationOutcome['status']): string {
  return element('Status', status === 'success' ? 'Success' : 'Failure')
}

/** The last one; without an error its attributes are empty. */
export function errorElement(error: NotificationOutcome['error']): string {
  const { code, context } = error ?? { code: '', context: '' }
  return `<Error codeContext="${escapeAttribute(context)}" errorCode="${escapeAttribute(code)}"/>`
}

/** Reads an answer by local names. Throws `community-misbehaved` when it is none, or has no status that is known. */
export function decodeNotificationResponse(
  { name }: { readonly name: string },
  tree: XmlTree,
  body: Node,
): NotificationOutcome {
  if (body === NONE || tree.local(body) !== `${name}Response`) throw unreadable('no-response')
  const children = tree.children(body)
  const status = children.find((node) => tree.local(node) === 'Status')
  const error = children.find((node) => tree.local(node) === 'Error')
  const code = error === undefined ? '' : (tree.attribute(error, 'errorCode')?.trim() ?? '')
  const context = error === undefined ? '' : (tree.attribute(error, 'codeContext')?.trim() ?? '')
  return {
    status: statusOf(status === undefined ? '' : tree.text(status)),
    ...(code === '' && context === '' ? {} : { error: { code, context } }),
  }
}

/** By its last word: other services of INI write it with the prefix of ebRS. */
function statusOf(text: string): NotificationOutcome['status'] {
  const word = text.trim().split(':').at(-1)
  if (word === 'Success') return 'success'
  if (word === 'Failure') return 'failure'
  throw unreadable('no-status')
}

function unreadable(reason: string): GatewayError {
  return new GatewayError('community-misbehaved', 'A notification was answered in a way that cannot be read', {
    details: { reason },
  })
}

/** Spells a request around its fields. */
export function encodeRequest({ name, namespace }: MessageName, fields: readonly string[]): string {
  return `<${name}Request xmlns="${namespace}">${fields.join('')}</${name}Request>`
}

/** Throws `request-malformed` unless the element is a request of that name. */
export function requireRequest({ name, namespace }: MessageName, tree: XmlTree, body: Node): void {
  if (!tree.is(body, namespace, `${name}Request`)) {
    throw new GatewayError('request-malformed', `The message is no ${name}Request`)
  }
}

export function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`
}

/**
 * The fields of an element, each of which may stand once and in any order; elements that are not asked for are passed over,
 * `Slot` among them. Throws `parameter-missing` and `parameter-count`, with sentences that repeat nothing.
 */
export class Fields {
  readonly #tree: XmlTree
  readonly #parent: Node
  readonly #namespace: string

  constructor(tree: XmlTree, parent: Node, { namespace }: Pick<MessageName, 'namespace'>) {
    this.#tree = tree
    this.#parent = parent
    this.#namespace = namespace
  }

  /** The text of a field that must be there, and may be empty. */
  present(name: string): string {
    const node = this.node(name)
    if (node === NONE) throw new GatewayError('parameter-missing', `${name} is missing`)
    return this.#tree.text(node).trim()
  }

  required(name: string): string {
    const found = this.present(name)
    if (found === '') throw new GatewayError('parameter-missing', `${name} is empty`)
    return found
  }

  /** Absent as well when it is empty: schemas require some fields that senders do not know. */
  optional(name: string): string | undefined {
    const node = this.node(name)
    return node === NONE ? undefined : this.#tree.text(node).trim() || undefined
  }

  /** NONE when it is missing. */
  node(name: string): Node {
    const [node, another] = this.#tree.children(this.#parent, this.#namespace, name)
    if (another !== undefined) throw new GatewayError('parameter-count', `${name} may stand only once`)
    return node ?? NONE
  }
}

/** A home as INI was seen to write it: `urn:oid:…`, its bare OID, or an organization's code. Throws `parameter-invalid`. */
export function readHome(text: string, homeOf: HomeOf): HomeCommunityId {
  return homeOf(text) ?? homeCommunityId(text)
}

/** A patient as INI was seen to write them: CX, or a bare codice fiscale. Throws `parameter-invalid`. */
export function readPatientId(text: string): PatientId {
  if (!text.includes('^')) return patientId(text, authorities.codiceFiscale)
  const id = parseCx(text)
  if (id === undefined) throw new GatewayError('parameter-invalid', 'PatientId must have the form ID^^^&OID&ISO')
  return patientId(id.value, id.authority)
}

/** A field for each text there is; what is undefined leaves nothing behind. */
export function optionalElement(name: string, text: string | undefined): string {
  return text === undefined ? '' : element(name, text)
}
