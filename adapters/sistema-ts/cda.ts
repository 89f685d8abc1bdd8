import { formerDocumentTypes, loinc, typeCodes } from '../../contracts/affinity-domain/document-types.ts'
import { organizations } from '../../contracts/affinity-domain/organizations.ts'
import type { Timestamp } from '../../src/core/model/timestamp.ts'
import { type PrescriptionLine, processState } from '../../src/wire/sistema-ts/prescription.ts'
import { timestampOfTs } from '../../src/wire/sistema-ts/time.ts'
import { escapeAttribute, escapeText } from '../../src/wire/xml-write.ts'
import { sha1 } from './digest.ts'
import { type DocumentKind, kinds, uniqueIdOf } from './documents.ts'
import type { Filed } from './entries.ts'

/** A document as bytes. */
export interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Lower-case hexadecimal. */
  readonly sha1: string
}

/** Where a document cites the order it is of (ini.md §3.4: metadata use another arc). */
const orderInside = '2.16.840.1.113883.2.9.4.3.9'

/** What is told of a line, in the order in which it is shown. */
const columns: readonly (readonly [title: string, of: (line: PrescriptionLine) => string | undefined])[] = [
  ['Codice', ({ codProdPrest }) => codProdPrest],
  ['Descrizione', ({ descrProdPrest, testoLibero }) => descrProdPrest ?? testoLibero],
  ['Gruppo di equivalenza', ({ codGruppoEquival, descrGruppoEquival }) => descrGruppoEquival ?? codGruppoEquival],
  ['Quantità', ({ quantita }) => quantita],
  ['Note', ({ descrTestoLiberoNote, motivazNote, notaProd }) => joined(descrTestoLiberoNote, motivazNote, notaProd)],
]

const dispensed: typeof columns = [
  ['Erogato', ({ codProdPrestErog }) => codProdPrestErog],
  ['Descrizione erogato', ({ descrProdPrestErog }) => descrProdPrestErog],
  ['Quantità erogata', ({ quantitaErogata }) => quantitaErogata],
  ['Data', ({ dataFineErog, dataIniErog }) => dataFineErog ?? dataIniErog],
]

/**
 * The document of a prescription, or of its dispensing: a CDA of what Sistema TS told and nothing else, unsigned, the same
 * bytes for the same data. Who wants their name shown to dispensers on request only is not named (`oscuramDati`).
 */
export async function documentOf(filed: Filed, kind: DocumentKind): Promise<Made> {
  const bytes = new TextEncoder().encode(clinicalDocument(filed, kind))
  return { bytes, sha1: await sha1(bytes) }
}

function clinicalDocument({ prescription, patientId }: Filed, kind: DocumentKind): string {
  const { header, nre, lines, withholdsName } = prescription
  const facts = kinds[kind]
  const isDispensing = kind.startsWith('ERO')
  const title = typeCodes[facts.type] ?? formerDocumentTypes[facts.type]?.display ?? ''
  const [root = '', extension = ''] = uniqueIdOf({ nre, kind }).split('^')
  const time = timestampOfTs(
    isDispensing ? (header.dataErogazione ?? header.dataCompilazione) : header.dataCompilazione,
  )
  const name = withholdsName || header.cognNome === undefined ? '' : element('name', header.cognNome)
  const address = withholdsName || header.indirizzo === undefined ? '' : element('addr', header.indirizzo)
  const order = `<inFulfillmentOf><order>${id(orderInside, nre)}</order></inFulfillmentOf>`
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="IT"/>' +
    `<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><templateId root="${facts.format}"/>` +
    `${id(root, extension)}<code code="${facts.type}" codeSystem="${loinc}" codeSystemName="LOINC" ` +
    `displayName="${escapeAttribute(title)}"/>${element('title', title)}${effectiveTime(time)}` +
    '<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="it-IT"/>' +
    `<recordTarget><patientRole>${id(patientId.authority, patientId.value)}${address}` +
    `${name === '' ? '' : `<patient>${name}</patient>`}</patientRole></recordTarget>` +
    `${authorOf(isDispensing ? undefined : (header.cfMedico2 ?? header.cfMedico1), time)}` +
    `<custodian><assignedCustodian><representedCustodianOrganization>${id('2.16.840.1.113883.2.9.2', '970')}` +
    `${element('name', organizations['970'] ?? '')}</representedCustodianOrganization></assignedCustodian></custodian>` +
    `${isDispensing ? order : ''}<component><structuredBody><component><section>${element('title', title)}<text>` +
    element('paragraph', origin) +
    factsOf(prescription) +
    tableOf(lines, isDispensing ? [...columns, ...dispensed] : columns) +
    '</text></section></component></structuredBody></component></ClinicalDocument>\n'
  )
}

const origin =
  'Documento non firmato, prodotto all’atto della consultazione dai dati comunicati dal Sistema TS sulla ricetta.'

function id(root: string, extension: string): string {
  return `<id root="${escapeAttribute(root)}" extension="${escapeAttribute(extension)}"/>`
}

function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`
}

/** In UTC, as it was told: a day stays a day. */
function effectiveTime(time: Timestamp | undefined): string {
  return `<effectiveTime ${timeAttribute(time)}/>`
}

function timeAttribute(time: Timestamp | undefined): string {
  if (time === undefined) return 'nullFlavor="UNK"'
  return `value="${time}${time.length > 8 ? '+0000' : ''}"`
}

function authorOf(doctor: string | undefined, time: Timestamp | undefined): string {
  const who = doctor === undefined ? '<id nullFlavor="UNK"/>' : id('2.16.840.1.113883.2.9.4.3.2', doctor)
  return `<author><time ${timeAttribute(time)}/><assignedAuthor>${who}</assignedAuthor></author>`
}

/** Facts about the whole, by what they are called in the messages of Sistema TS. */
function factsOf({ nre, header }: Filed['prescription']): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['NRE', nre],
    ['Stato', stateText(header.statoProcesso)],
    ['Data di compilazione', header.dataCompilazione],
    ['Data di presa in carico', header.dataPresaCarico],
    ['Data di erogazione', header.dataErogazione],
    ['Codice di autenticazione', header.codAutenticazioneMedico ?? header.codAutenticazione],
    ['Regione e azienda sanitaria', joined(header.codRegione, header.codASLAo)],
    ['Esenzione', header.codEsenzione],
    ['Diagnosi', joined(header.codDiagnosi, header.descrizioneDiagnosi)],
    ['Classe di priorità', header.classePriorita],
    ['Tipo di visita', header.tipoVisita],
  ]
  const items = rows.flatMap(([name, text]) => (text === undefined ? [] : [element('item', `${name}: ${text}`)]))
  return `<list>${items.join('')}</list>`
}

const states: Partial<Record<NonNullable<ReturnType<typeof processState>>, string>> = {
  'to-be-dispensed': 'da erogare',
  'cancelled-by-prescriber': 'annullata dal prescrittore',
  'taken-in-charge': 'presa in carico',
  suspended: 'sospesa',
  'partly-dispensed': 'erogata in parte',
  dispensed: 'erogata',
  'dispensing-cancelled': 'erogazione annullata',
  expired: 'scaduta',
}

function stateText(code: string | undefined): string | undefined {
  const state = processState(code)
  return (state && states[state]) ?? code
}

function joined(...texts: readonly (string | undefined)[]): string | undefined {
  const told = texts.filter((text) => text !== undefined)
  return told.length === 0 ? undefined : told.join(' ')
}

/** Columns nobody told anything for are left out. */
function tableOf(lines: readonly PrescriptionLine[], all: typeof columns): string {
  const told = all.filter(([, of]) => lines.some((line) => of(line) !== undefined))
  if (told.length === 0) return ''
  const head = told.map(([title]) => element('th', title)).join('')
  const rows = lines.map((line) => `<tr>${told.map(([, of]) => element('td', of(line) ?? '')).join('')}</tr>`)
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}
