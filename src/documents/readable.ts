import { Buffer } from 'node:buffer'
import { NONE, type Node, type XmlTree } from '../wire/xml.ts'
import { escapeText } from '../wire/xml-write.ts'
import { at, nonXmlBodyOf } from './cda.ts'
import { narrativeHtml } from './narrative.ts'
import { languageAttribute, page } from './page.ts'
import { hl7 } from './xml-root.ts'

/** The codice fiscale, as an identifier of persons. */
const taxCode = '2.16.840.1.113883.2.9.4.3.2'

/**
 * The human-readable form of a CDA: one page of HTML, in Italian but for what the document says, with what heads the
 * document and the narrative of each section. It stands on its own, runs nothing and loads nothing. Throws DocumentError
 * where the body cannot be read.
 */
export function readableHtml(cda: XmlTree): string {
  const title = titleOf(cda)
  const language = languageOf(cda, cda.root)
  const body = [
    `<header><h1${language}>${escapeText(title)}</h1>`,
    facts(cda),
    '</header>',
    `<main${language}>`,
    bodyHtml(cda),
    '</main>',
    '<footer><p>Forma leggibile ricavata dal documento clinico. Fa fede l’originale.</p></footer>',
  ]
  return page(title, body.join('\n'))
}

function titleOf(cda: XmlTree): string {
  return textAt(cda, cda.root, 'title') || nameOfCode(cda, cda.root) || 'Documento clinico'
}

function languageOf(cda: XmlTree, node: Node): string {
  const code = at(cda, node, 'languageCode')
  return code === NONE ? '' : languageAttribute(cda.attribute(code, 'code'))
}

function nameOfCode(cda: XmlTree, node: Node): string {
  const code = at(cda, node, 'code')
  return code === NONE ? '' : (cda.attribute(code, 'displayName') ?? '').trim()
}

/** All the text under an element, as one line. */
function textAt(cda: XmlTree, node: Node, ...path: readonly string[]): string {
  const found = at(cda, node, ...path)
  return found === NONE ? '' : cda.text(found).trim().replace(/\s+/g, ' ')
}

/** What heads the page: who it is about, when and by whom it was made. Nothing more of the person than tells them apart. */
function facts(cda: XmlTree): string {
  const rows: [string, string][] = []
  function add(label: string, value: string): void {
    if (value !== '') rows.push([label, value])
  }
  for (const target of cda.children(cda.root, hl7, 'recordTarget')) {
    const role = at(cda, target, 'patientRole')
    if (role === NONE) continue
    add('Paziente', personName(cda, at(cda, role, 'patient', 'name')))
    const identifier = cda.children(role, hl7, 'id').find((id) => cda.attribute(id, 'root') === taxCode)
    add('Codice fiscale', identifier === undefined ? '' : (cda.attribute(identifier, 'extension') ?? ''))
    add('Data di nascita', timeAt(cda, at(cda, role, 'patient', 'birthTime')))
  }
  add('Data del documento', timeAt(cda, at(cda, cda.root, 'effectiveTime')))
  for (const author of cda.children(cda.root, hl7, 'author')) {
    add('Autore', personName(cda, at(cda, author, 'assignedAuthor', 'assignedPerson', 'name')))
  }
  add('Conservato da', textAt(cda, cda.root, ...custodian))
  if (rows.length === 0) return ''
  const list = rows.map(([label, value]) => `<dt>${label}</dt><dd>${escapeText(value)}</dd>`)
  return `<dl>\n${list.join('\n')}\n</dl>`
}

const custodian = ['custodian', 'assignedCustodian', 'representedCustodianOrganization', 'name'] as const

/** Parts of a name in the order in which they are said in Italian. */
const nameParts = ['prefix', 'given', 'family', 'suffix']

function personName(cda: XmlTree, name: Node): string {
  if (name === NONE) return ''
  const parts = nameParts.flatMap((part) => cda.children(name, hl7, part).map((node) => cda.text(node).trim()))
  return parts.filter((part) => part !== '').join(' ') || cda.text(name).trim().replace(/\s+/g, ' ')
}

/** A moment of HL7 V3 (TS) as it was written, without a change of time zone; what is no moment, as it stands. */
function timeAt(cda: XmlTree, node: Node): string {
  const value = node === NONE ? '' : (cda.attribute(node, 'value') ?? '').trim()
  const found = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\d{2})(?:\d{2}(?:\.\d+)?)?)?)?)?(?:[+-]\d{4})?$/.exec(value)
  if (found === null) return value
  const [, year, month, day, hour, minute] = found
  const date = [day, month, year].filter((part) => part !== undefined).join('/')
  return hour === undefined ? date : `${date}, ore ${hour}:${minute}`
}

function bodyHtml(cda: XmlTree): string {
  const structured = at(cda, cda.root, 'component', 'structuredBody')
  if (structured !== NONE) return sections(cda, structured, 2).join('\n')
  const body = nonXmlBodyOf(cda)
  if (body === 'none') return '<p>Il documento non ha contenuto.</p>'
  if (body.mediaType === 'text/plain') return `<pre>${escapeText(plainText(body.bytes))}</pre>`
  const type = escapeText(body.mediaType)
  return `<p>Il contenuto del documento è un file di tipo ${type} (${body.bytes.length} byte), da aprire a parte.</p>`
}

/** Text that came as base64 may hold characters that no page can. */
function plainText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
}

/** The sections directly under a body or section, those under them one heading lower. */
function sections(cda: XmlTree, parent: Node, level: number): string[] {
  return cda
    .children(parent, hl7, 'component')
    .flatMap((component) => cda.children(component, hl7, 'section'))
    .map((section) => sectionHtml(cda, section, level))
}

/** HTML knows six levels of headings. */
const lowest = 6

function sectionHtml(cda: XmlTree, section: Node, level: number): string {
  const heading = textAt(cda, section, 'title') || nameOfCode(cda, section) || 'Sezione senza titolo'
  const text = at(cda, section, 'text')
  return [
    `<section${languageOf(cda, section)}>`,
    `<h${level}>${escapeText(heading)}</h${level}>`,
    text === NONE ? '' : `<div class="narrative">${narrativeHtml(cda, text)}</div>`,
    ...sections(cda, section, Math.min(level + 1, lowest)),
    '</section>',
  ].join('\n')
}
