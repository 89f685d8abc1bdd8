import {
  consentExchange,
  failureOf,
  fieldsOf,
  Judgement,
  open,
  Refusal,
  requireVouched,
  responseType,
  type Vouchers,
} from './consent-soap.ts'
import type { Face } from './server.ts'
import { children, type Element, escapeXml, isNamed } from './xml.ts'

/** No public source names it (ini.md §1.2, row 12). */
export const disclosurePath = '/FSEInformativeWeb/DisclosureManager_Service'
const namespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaDisclosureManager'

export interface NoticeDocument {
  /** base64. */
  readonly value: string
  readonly mediaType: string
  readonly type: string
}

export interface DisclosureFace extends Face {
  /** By id. */
  readonly disclosures: ReadonlyMap<string, readonly NoticeDocument[]>
}

const text = (words: string) => Buffer.from(words).toString('base64')
const first: readonly NoticeDocument[] = [
  { value: text('Informativa, breve'), mediaType: 'text/plain', type: 'BREVE' },
  { value: text('Informativa, estesa'), mediaType: 'text/plain', type: 'ESTESA' },
]

/**
 * INI's Disclosure manager, by its schema alone: neither its actions nor its codes are public. The latest notice of a region is
 * `<region>^last`, as another service of INI has it (sistema-ts.md §A.8).
 */
export function disclosureFace({
  admits,
  ...vouchers
}: Vouchers & { readonly admits: (commonName: string) => boolean }): DisclosureFace {
  const disclosures = new Map<string, readonly NoticeDocument[]>([['1', first]])
  const latest = new Map([['090', '1']])
  const actions = ['urn:fse:RetrieveDisclosure', 'urn:fse:CommunicationDisclosure']
  const door = { actions, addressing: 'any', ...vouchers } as const

  function retrieve(payload: Element): string {
    if (!isNamed(payload, namespace, 'RetrieveDisclosureRequest')) throw new Refusal('Another message is expected')
    const [asked] = fieldsOf(payload, namespace, ['DisclosureId'])
    const wanted = asked?.textContent?.trim() ?? ''
    const [region = '', last] = wanted.split('^')
    const id = last === 'last' ? (latest.get(region) ?? '') : wanted
    const documents = disclosures.get(id)
    if (documents === undefined) throw new Judgement('DisclosureError', 'No such notice')
    const list = documents.map(
      ({ value, mediaType, type }) =>
        `<Document><Value>${value}</Value><MimeType>${mediaType}</MimeType>` +
        `<DocumentType>${escapeXml(type)}</DocumentType></Document>`,
    )
    return answer(
      'RetrieveDisclosure',
      `<DisclosureId>${escapeXml(id)}</DisclosureId><DocumentList>${list.join('')}</DocumentList>`,
    )
  }

  function communicate(payload: Element, issuer: string): string {
    if (!isNamed(payload, namespace, 'CommunicationDisclosureRequest')) throw new Refusal('Another message is expected')
    const [region, list] = fieldsOf(payload, namespace, ['RegionId', 'DocumentList'])
    const code = region?.textContent?.trim() ?? ''
    if (code !== issuer) throw new Judgement('DisclosureError', 'The notice is of another region')
    const documents = list === undefined ? [] : children(list).map(readDocument)
    if (documents.length < 2) throw new Refusal('A notice has two documents at least')
    const id = String(disclosures.size + 1)
    disclosures.set(id, documents)
    latest.set(code, id)
    return answer('CommunicationDisclosure', `<RegionId>${code}</RegionId><DisclosureId>${id}</DisclosureId>`)
  }

  return {
    name: 'disclosures',
    contentType: responseType,
    disclosures,
    serves: (served) => served === disclosurePath,
    admits,
    respond(request, behaviour, asked) {
      const name = request.headers.soapaction === `"${actions[1]}"` ? 'CommunicationDisclosure' : 'RetrieveDisclosure'
      return consentExchange(request, asked, failureOf(name, namespace), () => {
        Object.assign(asked, { action: `urn:fse:${name}`, query: name })
        if (behaviour === 'fault') throw new Refusal('Internal Server Error', 'Server')
        const message = open(request, door, asked)
        const { assertion } = requireVouched(message, ({ purpose }) => purpose === 'CONSENT')
        if (behaviour === 'refuse') throw new Judgement('DisclosureError', 'Internal Error')
        return name === 'RetrieveDisclosure'
          ? retrieve(message.payload)
          : communicate(message.payload, assertion.issuer)
      })
    },
  }
}

function readDocument(element: Element): NoticeDocument {
  if (!isNamed(element, namespace, 'Document')) throw new Refusal('A list of documents holds nothing else')
  const texts = fieldsOf(element, namespace, ['Value', 'MimeType', 'DocumentType']).map((one) => one.textContent ?? '')
  const [value = '', mediaType = '', type = ''] = texts
  if (Buffer.from(value, 'base64').toString('base64') !== value.replace(/\s+/g, '')) throw new Refusal('No base64')
  return { value, mediaType, type }
}

function answer(name: string, fields: string): string {
  return (
    `<${name}Response xmlns="${namespace}"><Status>Success</Status>${fields}` +
    `<Error codeContext="" errorCode=""/></${name}Response>`
  )
}
