import { randomUUID } from 'node:crypto'
import { codiceFiscale } from './citizens.ts'
import type { Consents } from './consent-face.ts'
import { cx, type Identifier } from './entry.ts'
import { soap11, wsa } from './faults.ts'
import { authority, organization } from './organizations.ts'
import { escapeXml } from './xml.ts'

/** Of what INI tells a region (ini.md §7.2). */
export type NoticeKind = 'submit' | 'retrieve' | 'hiding' | 'consent'

/** Where it tells of them, and in which words. The last two actions are guesses from the others: nobody has seen them. */
export const notices = {
  submit: { path: '/ini/NotifyCommunicationMetadata_Service', action: 'urn:fse:NotifySubmitObjects' },
  retrieve: { path: '/ini/NotifyRetrieve_Service', action: 'urn:fse:NotifyRetrieve' },
  hiding: { path: '/ini/NotifyHiding_Service', action: 'urn:fse:NotifyHiding' },
  consent: { path: '/ini/NotifyConsent_Service', action: 'urn:fse:NotifyConsent' },
} as const satisfies Record<NoticeKind, { readonly path: string; readonly action: string }>

/** INI's own relays: what it writes in `To`, whoever it calls (#788, #2406). */
const relays: Readonly<Record<NoticeKind, string>> = {
  submit: '/FSEININotificheWeb/NotifyCommunicationMetadata_Service_esterno',
  retrieve: '/FSEININotificheWeb/NotifyRetrieve_Service_esterno',
  hiding: '/FSEININotificheWeb/NotifyHiding_Service_esterno',
  consent: '/FSEININotificheWeb/NotifyConsent_Service_esterno',
}

/** How a person is spelled: CX, or the bare code as in early 2024 (#702, #1760). */
export type PatientSpelling = 'cx' | 'bare'

/** That a document was registered where its person is assisted. */
export interface SubmitNotice {
  readonly patient: Identifier
  readonly document: string
  readonly repository: string
  /** Code of the region meant; default Tuscany. */
  readonly region?: string
  /** `urn`, or as it was seen: the bare code, nothing in it, not there. */
  readonly homeSpelling?: 'urn' | 'code' | 'empty' | 'absent'
  readonly patientSpelling?: PatientSpelling
}

/** That a document was retrieved. */
export interface RetrieveNotice {
  readonly patient: Identifier
  readonly document: string
  readonly repository: string
  /** LOINC. */
  readonly type?: string
  /** `code^^scheme`, or as INI wrote it: with the quoted list before the scheme, or empty (#1334, #2406). */
  readonly typeSpelling?: 'plain' | 'doubled' | 'empty'
  readonly requestor?: Identifier
  readonly role?: string
  readonly purpose?: string
  /** A structure, or as it was seen, the code of a region. */
  readonly locality?: string
  readonly region?: string
  /** Absent by default, as in the one message that was seen. */
  readonly homeSpelling?: 'urn' | 'code' | 'empty' | 'absent'
  readonly patientSpelling?: PatientSpelling
}

/** That a document is to be hidden because another is. */
export interface HidingNotice {
  readonly patient: Identifier
  readonly document: string
  /** By default the document itself, as INI was seen to write (#1630, #1918). */
  readonly source?: string
  /** Milliseconds since the epoch. */
  readonly at?: number
  /** `YYYYMMDDHHMMSS+ZZZZ` as documented, or ISO 8601 as it was seen (#1760). */
  readonly dateSpelling?: 'documented' | 'iso'
  /** Bare as documented, or CX as it was seen (#1760). */
  readonly patientSpelling?: PatientSpelling
}

/** That a person's consents have changed elsewhere. */
export interface ConsentNotice {
  readonly patient: Identifier
  readonly consents: Consents
  readonly organization?: string
  readonly locality?: string
  readonly operator?: Identifier
  readonly operatorRole?: string
  /** Who speaks for the person; by default themselves. */
  readonly requestor?: Identifier
  readonly disclosure?: string
  readonly patientSpelling?: PatientSpelling
}

const schema = 'http://www.fascicolosanitario.gov.it/schema/typeSchema'
// No municipality has a code that begins with X: this doctor cannot exist.
const doctor: Identifier = { value: codiceFiscale('VRDMRC67T20X257'), authority: authority.codiceFiscale }

export function submitNotice(notice: SubmitNotice): string {
  const { region = '090', homeSpelling = 'urn', patientSpelling = 'cx' } = notice
  return request('NotifySubmitObjects', [
    home(region, homeSpelling),
    field('RepositoryUniqueId', notice.repository),
    field('DocumentUniqueId', notice.document),
    field('PatientId', spelled(notice.patient, patientSpelling)),
  ])
}

export function retrieveNotice(notice: RetrieveNotice): string {
  const { type = '11502-2', typeSpelling = 'plain', region = '090', homeSpelling = 'absent' } = notice
  const coded = `${type}^^2.16.840.1.113883.6.1`
  const types = { plain: coded, doubled: `('${coded}')^^2.16.840.1.113883.6.1`, empty: '' }
  return request('NotifyRetrieve', [
    home(region, homeSpelling),
    field('RepositoryUniqueId', notice.repository),
    field('DocumentUniqueId', notice.document),
    field('TypeCode', types[typeSpelling]),
    field('RequestorId', cx(notice.requestor ?? doctor)),
    field('RequestorRole', notice.role ?? 'APR'),
    field('Pou', notice.purpose ?? 'TREATMENT'),
    field('RequestorLocality', notice.locality ?? '050'),
    field('PatientId', spelled(notice.patient, notice.patientSpelling ?? 'cx')),
  ])
}

export function hidingNotice(notice: HidingNotice, now: number): string {
  const { at = now, dateSpelling = 'documented', patientSpelling = 'bare' } = notice
  const iso = new Date(at).toISOString()
  const date = dateSpelling === 'iso' ? iso.replace('Z', '+00:00') : `${iso.replace(/\D/g, '').slice(0, 14)}+0000`
  return request('NotifyHiding', [
    field('PatientId', spelled(notice.patient, patientSpelling)),
    field('HidingDate', date),
    field('DocumentId', notice.document),
    field('SourceDocumentId', notice.source ?? notice.document),
  ])
}

export function consentNotice(notice: ConsentNotice, now: number): string {
  const { organization: code = '090', patientSpelling = 'cx' } = notice
  const today = new Date(now).toISOString().slice(0, 10)
  const consents = Object.entries(notice.consents).map(([name, given]) => {
    const { value, date = today, note = '' } = typeof given === 'boolean' ? { value: given } : given
    return `<Consent date="${date}" name="${escapeXml(name)}">${field('value', String(value))}${field('note', note)}</Consent>`
  })
  return request('NotifyConsent', [
    field('OrganizationID', code),
    field('OperatorLocality', notice.locality ?? `${code}202`),
    field('PatientId', spelled(notice.patient, patientSpelling)),
    field('OperatorId', cx(notice.operator ?? doctor)),
    field('OperatorRole', notice.operatorRole ?? 'OGC'),
    field('RequestorId', cx(notice.requestor ?? notice.patient)),
    field('DisclosuresId', notice.disclosure ?? '1'),
    `<ConsentList>${consents.join('')}</ConsentList>`,
  ])
}

/** The message around a notice: SOAP 1.1, addressed to INI's own relay, without an assertion. */
export function noticeEnvelope(kind: NoticeKind, body: string, origin: string, messageId = randomUUID()): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="${soap11}">` +
    `<soapenv:Header xmlns:wsa="${wsa}"><wsa:To>${origin}${relays[kind]}</wsa:To>` +
    `<wsa:MessageID>urn:uuid:${messageId}</wsa:MessageID><wsa:Action>${notices[kind].action}</wsa:Action>` +
    `</soapenv:Header><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`
  )
}

function request(name: string, fields: readonly string[]): string {
  const space = `${schema}${name}`
  return `<${name}Request xmlns="${space}">${fields.join('')}</${name}Request>`
}

function field(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`
}

function home(region: string, spelling: 'urn' | 'code' | 'empty' | 'absent'): string {
  if (spelling === 'absent') return ''
  const texts = { urn: organization(region).home, code: region, empty: '' }
  return field('HomeCommunityId', texts[spelling])
}

function spelled(patient: Identifier, spelling: PatientSpelling): string {
  return spelling === 'bare' ? patient.value : cx(patient)
}
