import { NONE, type Node, type XmlTree } from '../xml.ts'
import { childNamed, membersOf, readTold, type Told } from './fields.ts'

// The names are those of the schemas of 5 December 2024 (sistema-ts.md A.3); a word each in these lists.
const words = <Name extends string>(list: readonly Name[]): ReadonlySet<Name> => new Set(list)

const header = words([
  ...(['nre', 'cfMedico1', 'cfMedico2', 'codRegione', 'codASLAo', 'codStruttura', 'codSpecializzazione'] as const),
  ...(['testata1', 'testata2', 'tipoRic', 'codiceAss', 'cognNome', 'indirizzo', 'oscuramDati', 'numTessSasn'] as const),
  ...(['socNavigaz', 'tipoPrescrizione', 'ricettaInterna', 'codEsenzione', 'nonEsente', 'reddito'] as const),
  ...(['codDiagnosi', 'descrizioneDiagnosi', 'dataCompilazione', 'tipoVisita', 'dispReg', 'provAssistito'] as const),
  ...(['aslAssistito', 'indicazionePrescr', 'altro', 'classePriorita', 'statoEstero', 'istituzCompetente'] as const),
  ...(['numIdentPers', 'numIdentTess', 'dataNascitaEstero', 'dataScadTessera', 'statoProcesso'] as const),
  ...(['codAutenticazione', 'dataInserimento', 'chiusuraDiff', 'chiusuraForzata', 'prescrizioneFruita'] as const),
  ...(['tipoErogazioneSpec', 'ticket', 'quotaFissa', 'franchigia', 'galDirChiamAltro', 'dataPresaCarico'] as const),
  ...(['dataSospensione', 'dataErogazione', 'dataStorico', 'dispRic1', 'dispRic2', 'dispRic3'] as const),
  ...(['codAutenticazioneMedico', 'codAutenticazioneErogatore', 'codEseNaz'] as const),
])

const line = words([
  ...(['statoPresc', 'codProdPrest', 'descrProdPrest', 'codGruppoEquival', 'descrGruppoEquival'] as const),
  ...(['testoLibero', 'descrTestoLiberoNote', 'nonSost', 'motivazNote', 'codMotivazione', 'notaProd'] as const),
  ...(['quantita', 'prescrizione1', 'prescrizione2', 'codProdPrestErog', 'descrProdPrestErog', 'flagErog'] as const),
  ...(['motivazSostProd', 'targa', 'dichTargaDoppia', 'codBranca', 'tipoErogazioneFarm', 'prezzo'] as const),
  ...(['ticketConfezione', 'diffGenerico', 'quantitaErogata', 'dataIniErog', 'dataFineErog'] as const),
  ...(['prezzoRimborso', 'onereProd', 'scontoSSN', 'extraScontoIndustria', 'extraScontoPayback'] as const),
  ...(['extraScontoDL31052010', 'codPresidio', 'codReparto', 'dispFust1', 'dispFust2', 'dispFust3'] as const),
  ...(['codCatalogoPrescr', 'tipoAccesso', 'numeroNota', 'condErogabilita', 'approprPrescrittiva'] as const),
  ...(['patologia', 'numsedute', 'codNomenclNaz', 'codCatalogoErog', 'garanziaTempiMax'] as const),
  'dataPrenotazione' as const,
])

const note = words(['progrPresc', 'progPresc', 'codProdPrest', 'tipoAmbulatorio'] as const)

type NameIn<Set> = Set extends ReadonlySet<infer Name extends string> ? Name : never

/** One product or service prescribed, and what was dispensed of it. */
export type PrescriptionLine = Told<NameIn<typeof line>>

/** A prescription as Sistema TS tells it, under the names of its schema; nothing is filled in or added. */
export interface Prescription {
  /** Fifteen characters (NRE). */
  readonly nre: string
  readonly header: Told<NameIn<typeof header>>
  readonly lines: readonly PrescriptionLine[]
  readonly notes: readonly { readonly position?: number; readonly product?: string; readonly clinicType?: string }[]
  /**
   * The patient wants their name and address shown to dispensers on request only (`oscuramDati`). Not the hiding of the
   * health record, and never to be undone by taking the name from elsewhere.
   */
  readonly withholdsName: boolean
}

/** States of a prescription (sistema-ts.md A.3). */
export const processStates = {
  '1': 'lot-requested',
  '2': 'lot-requested-by-prescriber',
  '3': 'to-be-dispensed',
  '4': 'cancelled-by-prescriber',
  '5': 'taken-in-charge',
  '6': 'suspended',
  '7': 'partly-dispensed',
  '8': 'dispensed',
  '9': 'dispensing-cancelled',
  '10': 'expired',
} as const

export type ProcessState = (typeof processStates)[keyof typeof processStates]

/** The state a code stands for; undefined for one that is in no table. */
export function processState(code: string | undefined): ProcessState | undefined {
  const plain = code?.replace(/^0+(?=.)/, '') ?? ''
  return Object.hasOwn(processStates, plain) ? processStates[plain as keyof typeof processStates] : undefined
}

/** Reads a prescription; undefined when there is none: a number nobody knows is answered as if all were well (A.4). */
export function readPrescription(tree: XmlTree, node: Node): Prescription | undefined {
  if (node === NONE) return undefined
  const told = readTold(tree, node, header)
  if (told.nre === undefined) return undefined
  return {
    nre: told.nre,
    header: told,
    lines: linesOf(tree, node).map((one) => readTold(tree, one, line)),
    notes: membersOf(tree, node, 'ElencoNota', 'Nota').map((one) => {
      const { codProdPrest, tipoAmbulatorio, ...place } = readTold(tree, one, note)
      const position = Number(place.progrPresc ?? place.progPresc ?? 0)
      return {
        ...(position > 0 ? { position } : {}),
        ...(codProdPrest === undefined ? {} : { product: codProdPrest }),
        ...(tipoAmbulatorio === undefined ? {} : { clinicType: tipoAmbulatorio }),
      }
    }),
    withholdsName: told.oscuramDati !== undefined && told.oscuramDati !== '0',
  }
}

/** Each service calls its lines by another name. */
const lists = [
  'ElencoDettagliPrescrizioni',
  'ElencoDettagliPrescrVisualRicetta',
  'ElencoDettagliPrescrVisualRicettaStorico',
]

function linesOf(tree: XmlTree, node: Node): readonly Node[] {
  return lists.flatMap((name) => {
    const list = childNamed(tree, node, name)
    return list === NONE ? [] : tree.children(list)
  })
}
