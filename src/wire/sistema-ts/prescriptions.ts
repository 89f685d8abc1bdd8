import type { Node, XmlTree } from '../xml.ts'
import { type Field, membersOf, readTold, type Told } from './fields.ts'
import { operation } from './operation.ts'
import { misread, readOutcome, type TsOutcome } from './outcome.ts'
import { type Prescription, readPrescription } from './prescription.ts'

// Only what reads is here. What takes a prescription in charge, suspends or changes it is known to nobody in this program:
// it would block the prescription in every pharmacy of the country (sistema-ts.md A.3).

const space = (name: string) => `http://${name}.xsd.dem.sanita.finanze.it`
const dispenserService = 'http://demricettaricercaerogatore.wsdl.dem.sanita.finanze.it'
const dispenserPath = '/DemRicettaRicercaErogatoreServicesWeb/services/ricercaErogatore'

const text = { holds: 'text' } as const satisfies Field
const optional = { holds: 'text', optional: true } as const satisfies Field
const secret = { holds: 'secret', most: 2_000 } as const satisfies Field
/** The schema bounds it so loosely that both fit, and its annotation does not say which is meant. */
const citizen = { holds: 'either', optional: true, most: 2_000 } as const satisfies Field
const instant = { holds: 'text', optional: true, least: 19, most: 19 } as const satisfies Field
const region = { holds: 'text', least: 3, most: 3 } as const satisfies Field
const nre = { holds: 'text', most: 15 } as const satisfies Field
const code16 = { holds: 'text', most: 16 } as const satisfies Field

const dispenser = {
  pinCode: secret,
  codiceRegioneErogatore: text,
  codiceAslErogatore: text,
  codiceSsaErogatore: text,
  pwd: { ...code16, optional: true },
} as const
const spare = { disp1: optional, disp2: optional, disp3: optional } as const

/** One answer about one prescription. */
export interface PrescriptionAnswer {
  readonly outcome: TsOutcome
  /** Absent also when all went well: then nobody knows the number. */
  readonly prescription?: Prescription
}

/** A prescription in a list. */
export type ListedPrescription = Told<'nre' | 'statoRicetta' | 'dataPresaCarico' | 'dataErogazione' | 'storico'>

/** Prescriptions a dispenser may look up, by number, by citizen or by period: `elencoRicette`. Locks nothing. */
export const listPrescriptions = operation(
  {
    name: 'elencoRicette',
    path: dispenserPath,
    action: `${dispenserService}/elencoRicette`,
    request: [space('elencoricetterichiesta'), 'ElencoRicetteRichiesta'],
    answer: 'ElencoRicetteRicevuta',
  },
  {
    ...dispenser,
    nre: { ...nre, optional: true },
    cfAssistito: citizen,
    dataPeriodoDal: instant,
    dataPeriodoAl: instant,
    tipoData: optional,
    statoRicetta: optional,
    ...spare,
  },
  (tree, body) => {
    const { totaleRicette } = readTold(tree, body, new Set(['totaleRicette'] as const))
    const total = Number(totaleRicette ?? 0)
    if (!Number.isSafeInteger(total) || total < 0) throw misread('total')
    const listed = new Set(['nre', 'statoRicetta', 'dataPresaCarico', 'dataErogazione', 'storico'] as const)
    return {
      outcome: readOutcome(tree, body, 'codEsitoElencoRicette'),
      total,
      prescriptions: membersOf(tree, body, 'ElencoRicette', 'DettaglioSinteticoRicetta').map(
        (node): ListedPrescription => readTold(tree, node, listed),
      ),
    }
  },
)

/** One prescription as a dispenser sees it, without taking it in charge: `visualizzaRicetta`. */
export const viewPrescription = operation(
  {
    name: 'visualizzaRicetta',
    path: dispenserPath,
    action: `${dispenserService}/visualizzaRicetta`,
    request: [space('visualizzaricettarichiesta'), 'VisualizzaRicettaRichiesta'],
    answer: 'VisualizzaRicettaRicevuta',
  },
  { ...dispenser, nre, cfAssistito: citizen, ...spare },
  prescriptionIn('codEsitoVisualizzaRicetta'),
)

/** The earlier states of a prescription that are kept: `elencoStoricoNre`. */
export const listPrescriptionHistory = operation(
  {
    name: 'elencoStoricoNre',
    path: dispenserPath,
    action: `${dispenserService}/elencoStoricoNre`,
    request: [space('elencostoriconrerichiesta'), 'ElencoStoricoNreRichiesta'],
    answer: 'ElencoStoricoNreRicevuta',
  },
  { ...dispenser, nre: { ...nre, optional: true }, cfAssistito: citizen, ...spare },
  (tree, body) => ({
    outcome: readOutcome(tree, body, 'codEsitoElencoStoricoNre'),
    states: membersOf(tree, body, 'ElencoStoricoNre', 'DettaglioSinteticoStoricoNreRicetta').map((node) =>
      readTold(tree, node, new Set(['idStorico', 'dataStorico'] as const)),
    ),
  }),
)

/** One of those states: `visualizzaRicettaStorico`. */
export const viewPrescriptionHistory = operation(
  {
    name: 'visualizzaRicettaStorico',
    path: dispenserPath,
    action: `${dispenserService}/visualizzaRicettaStorico`,
    request: [space('visualizzaricettastoricorichiesta'), 'VisualizzaRicettaStoricoRichiesta'],
    answer: 'VisualizzaRicettaStoricoRicevuta',
  },
  { ...dispenser, nre, cfAssistito: citizen, idStorico: optional, ...spare },
  prescriptionIn('codEsitoVisualizzaRicettaStorico'),
)

/** One prescription for the doctor, or the SAR, that entered it: `visualizzaPrescritto`. The citizen's code is left empty. */
export const viewPrescribed = operation(
  {
    name: 'visualizzaPrescritto',
    path: '/DemRicettaPrescrittoServicesWeb/services/demVisualizzaPrescritto',
    action: 'http://visualizzaprescritto.wsdl.dem.sanita.finanze.it/VisualizzaPrescritto',
    request: [space('visualizzaprescrittorichiesta'), 'VisualizzaPrescrittoRichiesta'],
    answer: 'VisualizzaPrescrittoRicevuta',
  },
  { pinCode: secret, nre, cfMedico: code16 },
  prescriptionIn('codEsitoVisualizzazione'),
)

const used = new Set([
  ...(['nre', 'cfMedico', 'tipoPrescrizione', 'dataCompilazioneRicetta', 'cfAssistito'] as const),
  ...(['provenienza', 'lotto', 'codAutenticazione'] as const),
])

/** Numbers a doctor has used, exactly one or those of a period: `interrogaNreUtilizzati`. */
export const listUsedNumbers = operation(
  {
    name: 'interrogaNreUtilizzati',
    path: '/DemRicettaInterrogazioniServicesWeb/services/demInterrogaNreUtilizzati',
    // Sic: "associati", while the service's own namespace says "utilizzati".
    action: 'http://interroganreassociati.wsdl.dem.sanita.finanze.it/InterrogaNreUtilizzati',
    request: [space('interroganreutilrichiesta'), 'InterrogaNreUtilRichiesta'],
    answer: 'InterrogaNreUtilRicevuta',
  },
  {
    pinCode: secret,
    codRegione: region,
    nre: { ...nre, optional: true },
    codLotto: { holds: 'text', optional: true, least: 1, most: 13 },
    cfMedico: code16,
    cfAssistito: { ...code16, optional: true },
    tipoPrescr: { holds: 'text', optional: true, least: 1, most: 1 },
    dataCompilazioneRicettaDal: instant,
    dataCompilazioneRicettaAl: instant,
  },
  (tree, body) => ({
    outcome: readOutcome(tree, body, 'codEsitoInterrogaNreUtilizzati'),
    records: membersOf(tree, body, 'ElencoNreUtilRecord', 'NreUtilRecord').map((node) => readTold(tree, node, used)),
  }),
)

const piedmont = (name: string) => `http://visualizzaprescrittopazientesol${name}.xsd.dem.regione.piemonte.it`
const words = { holds: 'text', optional: true, many: true } as const satisfies Field
const date = { holds: 'text', optional: true, least: 10, most: 10 } as const satisfies Field

/**
 * A citizen's prescriptions as a region's own reception system (SAR) lists them: the shape of Piedmont's
 * `visualizzaPrescrittoPazienteSOL`, the only public one. Address, action and namespace are each region's; dates are
 * `aaaa-mm-gg` here. The schema holds the citizen's code in clear, its annotation wants it enciphered.
 */
export const listCitizenPrescriptions = operation(
  {
    name: 'visualizzaPrescrittoPazienteSOL',
    request: [piedmont('richiesta'), 'VisualizzaPrescrittoPazienteSOLRichiesta'],
    answer: 'VisualizzaPrescrittoPazienteSOLRicevuta',
  },
  {
    pinCode: secret,
    idRichiesta: optional,
    applicativoChiamante: optional,
    contestoOperativo: optional,
    cfAssistito: { holds: 'either', most: 2_000 },
    nre: optional,
    tipoRegime: optional,
    tipoRicetta: { holds: 'text', optional: true, least: 1, most: 1 },
    tipoPrescrizione: { holds: 'text', optional: true, least: 1, most: 1 },
    codProdPrest: words,
    codGruppoEquival: words,
    codRaggrDisp: words,
    statoProcesso: words,
    dataIniRange: date,
    dataFineRange: date,
    richiedente: text,
    ricetteScadute: optional,
    ricErogNonSSN: optional,
    regionePrescrizione: optional,
  },
  (tree, body) => ({
    outcome: readOutcome(tree, body, 'codEsitoVisualizzazione'),
    prescriptions: membersOf(tree, body, 'ElencoRicette', 'InfoRicetta').flatMap(
      (node) => readPrescription(tree, node) ?? [],
    ),
  }),
)

function prescriptionIn(field: string): (tree: XmlTree, body: Node) => PrescriptionAnswer {
  return (tree, body) => {
    const prescription = readPrescription(tree, body)
    return { outcome: readOutcome(tree, body, field), ...(prescription === undefined ? {} : { prescription }) }
  }
}
