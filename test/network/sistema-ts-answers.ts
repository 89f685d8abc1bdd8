import type { TsPrescription } from './sistema-ts-prescriptions.ts'
import { escapeXml } from './xml.ts'

// Answers of the services, under the names of their schemas (sistema-ts.md A.3).

/** Something said of a request: `Bloccante` and `Avviso` are what is met, not the manual's letters (A.4). */
export interface TsRemark {
  readonly code: string
  readonly text: string
  readonly kind: 'Bloccante' | 'Avviso'
}

export function refused(remark: TsRemark): { readonly outcome: string; readonly remarks: readonly TsRemark[] } {
  return { outcome: '9999', remarks: [remark] }
}

const types = 'http://tipodati.xsd.dem.sanita.finanze.it'

function element(name: string, text: string | undefined): string {
  return text === undefined ? '' : `<${name}>${escapeXml(text)}</${name}>`
}

function typed(name: string, text: string | undefined): string {
  return text === undefined ? '' : `<td:${name}>${escapeXml(text)}</td:${name}>`
}

function answer(namespace: string, local: string, content: string): string {
  return `<${local} xmlns="${namespace}" xmlns:td="${types}">${content}</${local}>`
}

function errors(remarks: readonly TsRemark[]): string {
  if (remarks.length === 0) return ''
  const all = remarks.map(
    ({ code, text, kind }) =>
      `<td:ErroreRicetta>${typed('codEsito', code)}${typed('esito', text)}${typed('progPresc', '0')}` +
      `${typed('tipoErrore', kind)}</td:ErroreRicetta>`,
  )
  return `<ElencoErroriRicette>${all.join('')}</ElencoErroriRicette>`
}

const space = (name: string) => `http://${name}ricevuta.xsd.dem.sanita.finanze.it`

export interface TsSaid {
  readonly outcome: string
  readonly remarks: readonly TsRemark[]
}

export const accepted: TsSaid = { outcome: '0000', remarks: [] }

export function listAnswer(found: readonly TsPrescription[], { outcome, remarks }: TsSaid = accepted): string {
  const rows = found.map(
    ({ nre, state, dispensedAt }) =>
      `<td:DettaglioSinteticoRicetta>${typed('nre', nre)}${typed('statoRicetta', state)}` +
      `${typed('dataErogazione', dispensedAt)}</td:DettaglioSinteticoRicetta>`,
  )
  const list = rows.length === 0 ? '' : `<ElencoRicette>${rows.join('')}</ElencoRicette>`
  return answer(
    space('elencoricette'),
    'ElencoRicetteRicevuta',
    `${element('totaleRicette', String(found.length))}${list}${element('codEsitoElencoRicette', outcome)}${errors(remarks)}`,
  )
}

/** Which parts of an answer are told: the real service leaves the citizen's code out (A.4). */
export interface TsTelling {
  /** Whose the prescription is said to be; by default that is not said. */
  readonly owner?: string
  /** Leaves out what kind it is. */
  readonly kindless?: boolean
}

function facts(
  one: TsPrescription,
  { owner = '', kindless = false }: TsTelling,
): readonly [string, string | undefined][] {
  return [
    ['nre', one.nre],
    ['cfMedico1', one.doctor],
    ['codRegione', one.nre.slice(0, 3)],
    ['codASLAo', '202'],
    ['codSpecializzazione', 'G'],
    ['codiceAss', owner],
    ['cognNome', one.hidesName ? '' : one.name],
    ['oscuramDati', one.hidesName ? '1' : undefined],
    ['tipoPrescrizione', kindless ? undefined : one.type],
    ['dataCompilazione', one.written],
    ['tipoVisita', 'A'],
    ['statoProcesso', one.state],
  ]
}

function lines({ lines: all, dispensedAt }: TsPrescription, list: string, item: string, isView: boolean): string {
  const rows = all.map(
    ({ code, text, quantity, dispensed }) =>
      `<td:${item}>${typed('statoPresc', isView ? (dispensed ? '2' : '1') : undefined)}${typed('codProdPrest', code)}${typed('descrProdPrest', text)}${typed('quantita', String(quantity))}` +
      (isView && dispensed
        ? `${typed('codProdPrestErog', code)}${typed('descrProdPrestErog', text)}` +
          `${typed('quantitaErogata', String(quantity))}${typed('dataFineErog', dispensedAt)}`
        : '') +
      `</td:${item}>`,
  )
  return `<${list}>${rows.join('')}</${list}>`
}

/** Nobody's number is answered as if all were well (A.4). */
export function viewAnswer(found: TsPrescription | undefined, said: TsSaid = accepted, how: TsTelling = {}): string {
  const told =
    found === undefined
      ? ''
      : facts(found, how)
          .map(([name, text]) => element(name, text))
          .join('') +
        element('dataErogazione', found.dispensedAt) +
        lines(found, 'ElencoDettagliPrescrVisualRicetta', 'DettaglioPrescrizioneVisualRicetta', true) +
        element('codAutenticazioneMedico', `0${found.nre.slice(6)}`)
  return answer(
    space('visualizzaricetta'),
    'VisualizzaRicettaRicevuta',
    `${told}${element('codEsitoVisualizzaRicetta', said.outcome)}${errors(said.remarks)}`,
  )
}

const sar = 'http://visualizzaprescrittopazientesolricevuta.xsd.dem.regione.piemonte.it'

/** A region's own list, which tells everything at once. */
export function citizenListAnswer(
  found: readonly TsPrescription[],
  { outcome, remarks }: TsSaid = accepted,
  how: (one: TsPrescription) => TsTelling = () => ({}),
): string {
  const rows = found.map((one) => {
    const told = facts(one, how(one)).filter(([name]) => name !== 'oscuramDati')
    const header = told.map(([name, text]) => typed(name, text)).join('')
    return `<td:InfoRicetta>${header}${sarLines(one)}</td:InfoRicetta>`
  })
  const list = rows.length === 0 ? '' : `<ElencoRicette>${rows.join('')}</ElencoRicette>`
  return answer(
    sar,
    'VisualizzaPrescrittoPazienteSOLRicevuta',
    `${list}${element('codEsitoVisualizzazione', outcome)}${errors(remarks)}`,
  )
}

function sarLines(one: TsPrescription): string {
  return lines(one, 'td:ElencoDettagliPrescrizioni', 'DettaglioPrescrizione', false)
}

/** Here the lines stand before the state. */
export function prescribedAnswer(found: TsPrescription | undefined): string {
  const header = (one: TsPrescription) =>
    facts(one, {})
      .filter(([name]) => name !== 'statoProcesso')
      .map(([name, text]) => element(name, text))
      .join('')
  const told =
    found === undefined
      ? ''
      : header(found) +
        lines(found, 'ElencoDettagliPrescrizioni', 'DettaglioPrescrizione', false) +
        element('statoProcesso', found.state)
  return answer(
    space('visualizzaprescritto'),
    'VisualizzaPrescrittoRicevuta',
    `${told}${element('codEsitoVisualizzazione', '0000')}`,
  )
}

export function usedNumbersAnswer(found: readonly TsPrescription[]): string {
  const rows = found.map(
    ({ nre, doctor, type, written }) =>
      `<td:NreUtilRecord>${typed('nre', nre)}${typed('cfMedico', doctor)}${typed('tipoPrescrizione', type)}` +
      `${typed('dataCompilazioneRicetta', written)}</td:NreUtilRecord>`,
  )
  const list = rows.length === 0 ? '' : `<ElencoNreUtilRecord>${rows.join('')}</ElencoNreUtilRecord>`
  return answer(
    space('interroganreutil'),
    'InterrogaNreUtilRicevuta',
    `${list}${element('codEsitoInterrogaNreUtilizzati', '0000')}`,
  )
}

export function historyAnswer(found: TsPrescription | undefined): string {
  const row =
    found === undefined
      ? ''
      : `<ElencoStoricoNre><td:DettaglioSinteticoStoricoNreRicetta>${typed('idStorico', '1')}` +
        `${typed('dataStorico', found.written)}</td:DettaglioSinteticoStoricoNreRicetta></ElencoStoricoNre>`
  return answer(
    space('elencostoriconre'),
    'ElencoStoricoNreRicevuta',
    `${row}${element('codEsitoElencoStoricoNre', '0000')}`,
  )
}
