import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { ensureCertificates } from '../../../certs-dev/make.ts'
import { attributeAssertion, type Claims } from '../../network/assertion.ts'
import { type CitizenKey, citizens } from '../../network/citizens.ts'
import { documentUniqueId, query, rim, rs } from '../../network/ebrim.ts'
import { cx } from '../../network/entry.ts'
import { soap12 } from '../../network/faults.ts'
import { sow } from '../../network/seed.ts'
import { adhocQuery, type Envelope, type HttpAnswer, postSoap, readIdentity } from '../../network/soap-client.ts'
import { children, type Element, only, parseXml, serialize } from '../../network/xml.ts'

export const { directory: certificates } = await ensureCertificates()
export const seed = sow()
export const gateway = await readIdentity(certificates, 'gateway')
export const approved = ['urn:oasis:names:tc:ebxml-regrep:StatusType:Approved']
export const bothStatuses = [...approved, 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated']
export const registryStoredQuery = 'urn:ihe:iti:2007:RegistryStoredQuery'
export const crossGatewayQuery = 'urn:ihe:iti:2007:CrossGatewayQuery'

/** The CX of a citizen's identifier in force, or of an earlier one. */
export function patient(key: CitizenKey, which = 0): string {
  const id = citizens[key].identifiers[which]
  if (id === undefined) throw new Error(`${key} has no identifier ${which}`)
  return cx(id)
}

export function findDocuments(of: string, more: Readonly<Record<string, string | readonly string[]>> = {}): string {
  return adhocQuery('FindDocuments', { $XDSDocumentEntryPatientId: of, $XDSDocumentEntryStatus: approved, ...more })
}

/** What was answered: a registry's answer, a fault, or neither. */
export interface Answered {
  readonly http: HttpAnswer
  readonly status?: string
  readonly issues: readonly { readonly code: string; readonly severity: string; readonly location?: string }[]
  readonly documents: readonly { readonly uniqueId?: string; readonly home?: string; readonly xml: string }[]
  readonly associations: number
  readonly objects: number
  readonly relatesTo?: string
  readonly fault?: {
    readonly code: string
    readonly subcodes: readonly string[]
    readonly reason: string
    readonly detail: string
  }
}

export interface Question extends Partial<Envelope> {
  readonly to: string
  readonly claims?: Partial<Claims>
  /** Default: the citizen of the demo. */
  readonly about?: string
  readonly signal?: AbortSignal
}

/** Asks as the gateway does, unless told otherwise. */
export async function ask(question: Question): Promise<Answered> {
  const { about = patient('lazio'), claims, signal, ...rest } = question
  const action = question.to.includes('/xca/') ? crossGatewayQuery : registryStoredQuery
  const assertions = [attributeAssertion({ patient: about, ...claims }, gateway.signer)]
  return read(await postSoap({ action, assertions, body: findDocuments(about), ...rest }, gateway.channel, signal))
}

/** Reads a reply as a client would. */
export function read(http: HttpAnswer): Answered {
  const envelope = parseXml(http.text)
  const [payload] = children(only(envelope, soap12, 'Body') ?? envelope)
  const header = only(envelope, soap12, 'Header')
  const relatesTo = header && textOf(children(header).find(({ localName }) => localName === 'RelatesTo'))
  const common = {
    http,
    issues: [],
    documents: [],
    associations: 0,
    objects: 0,
    ...(relatesTo !== undefined && { relatesTo }),
  }
  if (payload?.localName === 'Fault') return { ...common, fault: readFault(payload) }
  if (payload === undefined || payload.namespaceURI !== query) return common
  const list = only(payload, rim, 'RegistryObjectList')
  const objects = list ? children(list) : []
  const errors = only(payload, rs, 'RegistryErrorList')
  return {
    ...common,
    status: payload.getAttribute('status')?.split(':').at(-1) ?? '',
    issues: (errors ? children(errors) : []).map((issue) => ({
      code: issue.getAttribute('errorCode') ?? '',
      severity: issue.getAttribute('severity')?.split(':').at(-1) ?? '',
      ...(issue.hasAttribute('location') && { location: issue.getAttribute('location') ?? '' }),
    })),
    objects: objects.length,
    associations: objects.filter(({ localName }) => localName === 'Association').length,
    documents: objects.filter(({ localName }) => localName === 'ExtrinsicObject').map(readDocument),
  }
}

function readDocument(object: Element) {
  const id = children(object, rim, 'ExternalIdentifier').find(
    (identifier) => identifier.getAttribute('identificationScheme') === documentUniqueId,
  )
  const home = object.getAttribute('home')
  return {
    xml: serialize(object),
    ...(id && { uniqueId: id.getAttribute('value') ?? '' }),
    ...(home !== null && { home }),
  }
}

function readFault(fault: Element) {
  const code = only(fault, soap12, 'Code')
  const subcodes: string[] = []
  for (let at = only(code, soap12, 'Subcode'); at !== undefined; at = only(at, soap12, 'Subcode')) {
    subcodes.push(textOf(only(at, soap12, 'Value')) ?? '')
  }
  return {
    code:
      textOf(only(code, soap12, 'Value'))
        ?.split(':')
        .at(-1) ?? '',
    subcodes,
    reason: textOf(only(only(fault, soap12, 'Reason'), soap12, 'Text')) ?? '',
    detail: serialize(only(fault, soap12, 'Detail') ?? fault),
  }
}

function textOf(element: Element | undefined): string | undefined {
  return element?.textContent?.trim()
}

export const uniqueIds = ({ documents }: Answered): readonly string[] =>
  documents.map(({ uniqueId = '' }) => uniqueId).sort()

const schemas = join(import.meta.dirname, '../../../../shared/corpus/ihe/schemas/xds/wsdl/schema/ebRS30')
/** Whether the official schemas are here to judge what is answered. */
export const schemasPresent = existsSync(schemas)
export const withoutSchemas = schemasPresent ? '' : ' (skipped: ../shared/corpus is absent)'

let compiled: XsdValidator | undefined

function ebRs(): XsdValidator {
  if (compiled === undefined) {
    xmlRegisterFsInputProviders()
    const path = join(schemas, 'query.xsd')
    using schema = XmlDocument.fromBuffer(readFileSync(path), { url: path })
    compiled = XsdValidator.fromDoc(schema)
  }
  return compiled
}

/** Throws when the ebRS schemas do not accept the answer in the body. */
export function validate(http: HttpAnswer): void {
  const envelope = parseXml(http.text)
  const [payload] = children(only(envelope, soap12, 'Body') ?? envelope)
  if (payload === undefined) throw new Error('Nothing was answered')
  using document = XmlDocument.fromString(serialize(payload))
  ebRs().validate(document)
}
