import { organizationHome } from '../../../contracts/affinity-domain/organizations.ts'
import { GatewayError } from '../../core/errors.ts'
import type { CodeQuery } from '../../core/model/code.ts'
import { type HomeCommunityId, homeCommunityId } from '../../core/model/identifiers.ts'
import type { RetrieveNotice } from '../../core/model/notice.ts'
import { authorities, type PatientId, patientId } from '../../core/model/patient.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeAttribute, escapeText } from '../xml-write.ts'

/** How the notification of a retrieval is called (ini.md §7.2). */
export const notifyRetrieve = {
  action: 'urn:fse:NotifyRetrieve',
  namespace: 'http://www.fascicolosanitario.gov.it/schema/typeSchemaNotifyRetrieve',
} as const

/**
 * The message as it travels. Its `HomeCommunityId` is optional, by the schema the region of assistance's; what INI was seen to
 * send has none.
 */
export interface NotifyRetrieve extends Omit<RetrieveNotice, 'home' | 'assistedBy'> {
  readonly homeCommunityId?: HomeCommunityId
}

/** Spells the body of a notification, in the order of the schema. Throws RangeError on what XML cannot carry. */
export function encodeNotifyRetrieve(message: NotifyRetrieve): string {
  const { homeCommunityId: home, typeCode } = message
  return [
    `<NotifyRetrieveRequest xmlns="${notifyRetrieve.namespace}">`,
    home === undefined ? '' : element('HomeCommunityId', home),
    element('RepositoryUniqueId', message.repositoryUniqueId),
    element('DocumentUniqueId', message.uniqueId),
    // Required by the schema, and empty when INI does not know it either.
    element('TypeCode', typeCode === undefined ? '' : typeText(typeCode)),
    element('RequestorId', message.requestor),
    element('RequestorRole', message.requestorRole),
    element('Pou', message.purposeOfUse),
    element('RequestorLocality', message.locality),
    element('PatientId', formatCx(message.patientId)),
    '</NotifyRetrieveRequest>',
  ].join('')
}

/**
 * Reads the body of a notification, with what INI was seen to send: a type code in the notation of a query, doubled or
 * empty, a home told by an organization's code, a bare codice fiscale (ini.md §7.2). Throws `request-malformed`,
 * `parameter-missing`, `parameter-count` and `parameter-invalid`, with sentences that repeat nothing.
 */
export function decodeNotifyRetrieve(tree: XmlTree, body: Node): NotifyRetrieve {
  if (!tree.is(body, notifyRetrieve.namespace, 'NotifyRetrieveRequest')) {
    throw new GatewayError('request-malformed', 'The message is no NotifyRetrieveRequest')
  }
  const fields = new Fields(tree, body)
  const home = fields.optional('HomeCommunityId')
  const typeCode = readTypeCode(fields.present('TypeCode'))
  return {
    ...(home === undefined ? {} : { homeCommunityId: organizationHome(home) ?? homeCommunityId(home) }),
    repositoryUniqueId: fields.required('RepositoryUniqueId'),
    uniqueId: fields.required('DocumentUniqueId'),
    ...(typeCode === undefined ? {} : { typeCode }),
    requestor: fields.required('RequestorId'),
    requestorRole: fields.required('RequestorRole'),
    purposeOfUse: fields.required('Pou'),
    locality: fields.required('RequestorLocality'),
    patientId: readPatientId(fields.required('PatientId')),
  }
}

/** How a notification was taken. An error may stand beside either status: the code decides (ini.md §6.2 no. 2). */
export interface NotifyRetrieveOutcome {
  readonly status: 'success' | 'failure'
  readonly error?: { readonly code: string; readonly context: string }
}

/** Spells the answer. The schema requires an error even where there is none: its attributes are empty then. */
export function encodeNotifyRetrieveResponse({ status, error }: NotifyRetrieveOutcome): string {
  const { code, context } = error ?? { code: '', context: '' }
  return (
    `<NotifyRetrieveResponse xmlns="${notifyRetrieve.namespace}">` +
    element('Status', status === 'success' ? 'Success' : 'Failure') +
    `<Error codeContext="${escapeAttribute(context)}" errorCode="${escapeAttribute(code)}"/></NotifyRetrieveResponse>`
  )
}

/** Reads an answer by local names. Throws `community-misbehaved` when it is none, or has no status that is known. */
export function decodeNotifyRetrieveResponse(tree: XmlTree, body: Node): NotifyRetrieveOutcome {
  if (body === NONE || tree.local(body) !== 'NotifyRetrieveResponse') throw unreadable('no-response')
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
function statusOf(text: string): NotifyRetrieveOutcome['status'] {
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

/** The fields of a message, each of which may stand once. */
class Fields {
  readonly #tree: XmlTree
  readonly #body: Node

  constructor(tree: XmlTree, body: Node) {
    this.#tree = tree
    this.#body = body
  }

  /** The text of a field that must be there, and may be empty. */
  present(name: string): string {
    const found = this.#text(name)
    if (found === undefined) throw new GatewayError('parameter-missing', `${name} is missing`)
    return found
  }

  required(name: string): string {
    const found = this.present(name)
    if (found === '') throw new GatewayError('parameter-missing', `${name} is empty`)
    return found
  }

  optional(name: string): string | undefined {
    return this.#text(name) || undefined
  }

  #text(name: string): string | undefined {
    const [node, another] = this.#tree.children(this.#body, notifyRetrieve.namespace, name)
    if (another !== undefined) throw new GatewayError('parameter-count', `${name} may stand only once`)
    return node === undefined ? undefined : this.#tree.text(node).trim()
  }
}

function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`
}

function typeText({ code, scheme }: CodeQuery): string {
  return scheme === undefined ? code : `${code}^^${scheme}`
}

/** `code^^scheme`, or `('code^^scheme')`, which INI was seen to take for a code and give its scheme once more. */
function readTypeCode(text: string): CodeQuery | undefined {
  const [, quoted] = /^\('([^']*)'\)(?:\^\^.*)?$/.exec(text) ?? []
  const [code = '', , scheme = ''] = (quoted ?? text).split('^')
  if (code === '') return undefined
  return { code, ...(scheme === '' ? {} : { scheme }) }
}

function readPatientId(text: string): PatientId {
  if (!text.includes('^')) return patientId(text, authorities.codiceFiscale)
  const id = parseCx(text)
  if (id === undefined) throw new GatewayError('parameter-invalid', 'PatientId must have the form ID^^^&OID&ISO')
  return patientId(id.value, id.authority)
}
