import type { Asked } from './asked.ts'
import type { Behaviour } from './behaviour.ts'
import { citizenOf, stranger } from './citizens.ts'
import type { Identifier } from './entry.ts'
import { authority } from './organizations.ts'
import type { Face, PeerReply, PeerRequest } from './server.ts'
import {
  citizenListAnswer,
  historyAnswer,
  listAnswer,
  prescribedAnswer,
  refused,
  type TsTelling,
  usedNumbersAnswer,
  viewAnswer,
} from './sistema-ts-answers.ts'
import { citizenAnswer, mobilityAction, mobilityNamespace } from './sistema-ts-citizens.ts'
import type { TsCredentials } from './sistema-ts-credentials.ts'
import { isFiledUnder, type TsPrescription } from './sistema-ts-prescriptions.ts'
import { sequence, type TsSchema, validated } from './sistema-ts-schema.ts'
import { openTs, TsFault, tsFaultReply, tsReply, tsType } from './sistema-ts-soap.ts'

/** One service: where it stands, and the operations at it, each by its action. */
export interface TsService {
  readonly name: string
  readonly path: string
  readonly operations: Readonly<Record<string, TsOperation>>
}

type Fields = Readonly<Record<string, string>>

interface TsOperation {
  readonly name: string
  readonly schema: TsSchema
  readonly answer: (fields: Fields, asked: TsAsking) => string
}

interface TsAsking {
  readonly behaviour: Behaviour
  readonly prescriptions: readonly TsPrescription[]
  readonly deciphered: (text: string) => string
}

const xsd = (name: string) => `http://${name}richiesta.xsd.dem.sanita.finanze.it`
const dispenserAction = 'http://demricettaricercaerogatore.wsdl.dem.sanita.finanze.it'
const dispenser = 'pinCode codiceRegioneErogatore codiceAslErogatore codiceSsaErogatore pwd?:0-16'

function schema(namespace: string, local: string, fields: string): TsSchema {
  return { namespace, local, fields: sequence(fields) }
}

/** What is filed under the code that was asked for, and of one number where one is named. */
function found(
  { cfAssistito = '', nre }: Fields,
  { behaviour, prescriptions, deciphered }: TsAsking,
): TsPrescription[] {
  if (behaviour === 'empty') return []
  const value = cfAssistito === '' ? undefined : deciphered(cfAssistito)
  return prescriptions.filter(
    (one) =>
      (nre === undefined || nre === '' || one.nre === nre) &&
      (value === undefined ? one.nre === nre : isFiledUnder(one, identifierOf(value))),
  )
}

export function identifierOf(value: string): Identifier {
  if (/^STP/.test(value)) return { value, authority: authority.stp }
  if (/^ENI/.test(value)) return { value, authority: authority.eni }
  return { value, authority: value.length === 20 ? authority.teamCard : authority.codiceFiscale }
}

const closed = refused({ code: '9001', text: 'Servizio non disponibile per l’utente', kind: 'Bloccante' })

/** How a prescription is told by who misbehaves: as somebody else's, or one, of which there is one document, without its kind. */
function telling(one: TsPrescription | undefined, { behaviour, prescriptions }: TsAsking): TsTelling {
  if (behaviour === 'wrong-patient') return { owner: stranger.value }
  const odd = prescriptions.find((other) => one && isFiledUnder(other, one.patient) && other.dispensedAt === undefined)
  return behaviour === 'odd-entry' && one === odd ? { kindless: true } : {}
}

function isFirst(one: TsPrescription, prescriptions: readonly TsPrescription[]): boolean {
  return prescriptions.find((other) => isFiledUnder(other, one.patient)) === one
}

const list: TsOperation = {
  name: 'elencoRicette',
  schema: schema(
    xsd('elencoricette'),
    'ElencoRicetteRichiesta',
    `${dispenser} nre?:0-15 cfAssistito? dataPeriodoDal?:19-19 dataPeriodoAl?:19-19 tipoData? statoRicetta? disp1? disp2? disp3?`,
  ),
  answer: (fields, asked) => (asked.behaviour === 'refuse' ? listAnswer([], closed) : listAnswer(found(fields, asked))),
}

const view: TsOperation = {
  name: 'visualizzaRicetta',
  schema: schema(
    xsd('visualizzaricetta'),
    'VisualizzaRicettaRichiesta',
    `${dispenser} nre:0-15 cfAssistito? disp1? disp2? disp3?`,
  ),
  answer(fields, asked) {
    const [one] = found(fields, asked)
    if (asked.behaviour === 'refuse') return viewAnswer(undefined, closed)
    if (asked.behaviour === 'partial' && one !== undefined && isFirst(one, asked.prescriptions)) {
      return viewAnswer(undefined, refused({ code: '9002', text: 'Ricetta non visualizzabile', kind: 'Bloccante' }))
    }
    return viewAnswer(one, undefined, telling(one, asked))
  },
}

const history: TsOperation = {
  name: 'elencoStoricoNre',
  schema: schema(
    xsd('elencostoriconre'),
    'ElencoStoricoNreRichiesta',
    `${dispenser} nre?:0-15 cfAssistito? disp1? disp2? disp3?`,
  ),
  answer: (fields, asked) => historyAnswer(found(fields, asked)[0]),
}

const prescribed: TsOperation = {
  name: 'visualizzaPrescritto',
  schema: schema(xsd('visualizzaprescritto'), 'VisualizzaPrescrittoRichiesta', 'pinCode nre:0-15 cfMedico:0-16'),
  answer: ({ nre, cfMedico }, { prescriptions }) =>
    prescribedAnswer(prescriptions.find((one) => one.nre === nre && one.doctor === cfMedico)),
}

const used: TsOperation = {
  name: 'interrogaNreUtilizzati',
  schema: schema(
    xsd('interroganreutil'),
    'InterrogaNreUtilRichiesta',
    'pinCode codRegione:3-3 nre?:0-15 codLotto?:1-13 cfMedico:0-16 cfAssistito?:0-16 tipoPrescr?:1-1 ' +
      'dataCompilazioneRicettaDal?:19-19 dataCompilazioneRicettaAl?:19-19',
  ),
  answer: ({ nre, cfMedico, codRegione = '' }, { prescriptions }) =>
    usedNumbersAnswer(
      prescriptions.filter(
        (one) => one.doctor === cfMedico && one.nre.startsWith(codRegione) && (nre === undefined || one.nre === nre),
      ),
    ),
}

export const sarAction = 'urn:toscana:sar:VisualizzaPrescrittoPaziente'

const citizenList: TsOperation = {
  name: 'visualizzaPrescrittoPazienteSOL',
  schema: schema(
    'http://visualizzaprescrittopazientesolrichiesta.xsd.dem.regione.piemonte.it',
    'VisualizzaPrescrittoPazienteSOLRichiesta',
    'pinCode idRichiesta? applicativoChiamante? contestoOperativo? cfAssistito nre? tipoRegime? tipoRicetta?:1-1 ' +
      'tipoPrescrizione?:1-1 codProdPrest* codGruppoEquival* codRaggrDisp* statoProcesso* dataIniRange?:10-10 ' +
      'dataFineRange?:10-10 richiedente:1-16 ricetteScadute? ricErogNonSSN? regionePrescrizione?',
  ),
  answer(fields, asked) {
    if (asked.behaviour === 'refuse') return citizenListAnswer([], closed)
    const all = found(fields, asked)
    const kept = asked.behaviour === 'partial' ? all.slice(1) : all
    return citizenListAnswer(kept, undefined, (one) => telling(one, asked))
  },
}

const citizens: TsOperation = {
  name: 'interrogazioneMobilita',
  schema: schema(
    mobilityNamespace,
    'InterrogazioneMobilitaRichiesta',
    'pinCode codRegioneRichiedente:3-3 codiceIdentificativo:1-2000',
  ),
  answer: ({ codiceIdentificativo = '' }, { behaviour, deciphered }) => {
    const id = identifierOf(deciphered(codiceIdentificativo))
    return citizenAnswer(behaviour === 'empty' ? undefined : citizenOf(id), behaviour)
  },
}

const dispenserServices = '/DemRicettaRicercaErogatoreServicesWeb/services/ricercaErogatore'

export const tsServices = {
  dispenser: {
    name: 'dispenser',
    path: dispenserServices,
    operations: {
      [`${dispenserAction}/elencoRicette`]: list,
      [`${dispenserAction}/visualizzaRicetta`]: view,
      [`${dispenserAction}/elencoStoricoNre`]: history,
    },
  },
  prescribed: {
    name: 'prescribed',
    path: '/DemRicettaPrescrittoServicesWeb/services/demVisualizzaPrescritto',
    operations: { 'http://visualizzaprescritto.wsdl.dem.sanita.finanze.it/VisualizzaPrescritto': prescribed },
  },
  used: {
    name: 'used',
    path: '/DemRicettaInterrogazioniServicesWeb/services/demInterrogaNreUtilizzati',
    // Sic: "associati".
    operations: { 'http://interroganreassociati.wsdl.dem.sanita.finanze.it/InterrogaNreUtilizzati': used },
  },
  sar: { name: 'sar', path: '/sar/services/visualizzaPrescrittoPaziente', operations: { [sarAction]: citizenList } },
  citizens: { name: 'citizens', path: '/mobilita/services/interrogazione', operations: { [mobilityAction]: citizens } },
} as const satisfies Readonly<Record<string, TsService>>

export interface TsFaceParts {
  readonly admits: (commonName: string) => boolean
  readonly credentials: TsCredentials
  readonly prescriptions: () => readonly TsPrescription[]
}

/** A service behind the door: who asks is judged first, then the message by its schema, then the pincode in it. */
export function tsFace(service: TsService, { admits, credentials, prescriptions }: TsFaceParts): Face {
  return {
    name: service.name,
    contentType: tsType,
    serves: (path) => path === service.path,
    admits,
    respond: (request, behaviour, asked) =>
      tsExchange(asked, () => {
        requirePost(request)
        const message = openTs(request)
        Object.assign(asked, { action: message.action })
        credentials.admit(message, request.headers, asked)
        const operation = service.operations[message.action]
        if (operation === undefined) throw new TsFault('Operation not found for the action')
        Object.assign(asked, { query: operation.name })
        if (behaviour === 'fault') throw new TsFault('Internal Error (from server)', { code: 'Server' })
        const fields = validated(message.payload, operation.schema)
        if (!credentials.isPinCode(fields.pinCode ?? '')) throw new TsFault('Pincode errato')
        const { deciphered } = credentials
        return operation.answer(fields, { behaviour, prescriptions: prescriptions(), deciphered })
      }),
  }
}

export function requirePost({ method, headers }: Pick<PeerRequest, 'method' | 'headers'>): void {
  if (method !== 'POST') throw new TsFault('POST')
  if (!/^text\/xml\b/.test(headers['content-type'] ?? '')) throw new TsFault('text/xml is needed')
}

/** Turns what goes wrong into a fault. */
export async function tsExchange(asked: Asked, respond: () => string): Promise<PeerReply> {
  try {
    return tsReply(respond())
  } catch (error) {
    if (!(error instanceof TsFault)) throw error
    asked.outcome = error.code === 'Server' ? 'broken' : 'refused'
    return tsFaultReply(error)
  }
}
