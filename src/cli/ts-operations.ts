import type { AuthorizedCall } from '../core/model/call.ts'
import { answerOf, askSistemaTs, encodeTsEnvelope } from '../wire/sistema-ts/ask.ts'
import { citizenFacts, lookUpCitizen } from '../wire/sistema-ts/citizen.ts'
import type { Operation } from '../wire/sistema-ts/operation.ts'
import type { TsError, TsOutcome } from '../wire/sistema-ts/outcome.ts'
import { processState } from '../wire/sistema-ts/prescription.ts'
import {
  listCitizenPrescriptions,
  listPrescriptionHistory,
  listPrescriptions,
  listUsedNumbers,
  type PrescriptionAnswer,
  viewPrescription,
} from '../wire/sistema-ts/prescriptions.ts'
import {
  checkSession,
  createSession,
  revokeSession,
  type SecondFactorAnswer,
  type SecondFactorUser,
} from '../wire/sistema-ts/second-factor.ts'
import { needed } from './arguments.ts'
import { CliError } from './exit.ts'
import { typedPatient } from './patient.ts'
import type { TsEndpoint } from './ts-endpoint.ts'
import { citizenCode, dispenserOf, nationalPlace, placeOf, settingsOf, type TsValues, textAt } from './ts-settings.ts'

export interface TsAsking {
  readonly endpoint: TsEndpoint
  readonly values: TsValues
  readonly call: AuthorizedCall
}

/** How it ended, in a few words and lines. */
export interface TsResult {
  readonly accepted: boolean
  readonly code: string
  readonly errors: readonly TsError[]
  readonly lines: readonly string[]
  /** A session that was given; for a file, and never to be shown. */
  readonly token?: string
}

/** Every operation there is: all of them read, but for those on our own sessions. */
export const tsOperations: Readonly<Record<string, (asking: TsAsking) => Promise<TsResult>>> = {
  async list({ endpoint, values, call }) {
    const { options, list } = settingsOf(endpoint)
    const cfAssistito = citizenCode(endpoint, needed('patient', values.patient))
    const nre = values.nre === undefined ? {} : { nre: values.nre }
    if (list === 'sar') {
      const richiedente = call.assertion.subjectId?.value ?? ''
      const place = placeOf(listCitizenPrescriptions, textAt(options, 'sar', 'url'), values, {
        action: textAt(options, 'sar', 'action'),
        namespace: textAt(options, 'sar', 'namespace'),
      })
      const request = { cfAssistito, richiedente, ...nre }
      const { outcome, prescriptions } = await askSistemaTs(endpoint.tools, listCitizenPrescriptions, request, {
        ...place,
        call,
      })
      return resultOf(
        outcome,
        prescriptions.map(({ nre: number, header }) => stateLine(number, header.statoProcesso)),
      )
    }
    const request = { ...dispenserOf(options), ...nre, cfAssistito }
    const place = nationalPlace(listPrescriptions, endpoint, values)
    const { outcome, total, prescriptions } = await askSistemaTs(endpoint.tools, listPrescriptions, request, {
      ...place,
      call,
    })
    const lines = prescriptions.map(({ nre: number = '', statoRicetta }) => stateLine(number, statoRicetta))
    return resultOf(outcome, [`${total} prescriptions`, ...lines])
  },
  async view({ endpoint, values, call }) {
    const request = {
      ...dispenserOf(settingsOf(endpoint).options),
      nre: needed('nre', values.nre),
      ...(values.patient === undefined ? {} : { cfAssistito: citizenCode(endpoint, values.patient) }),
    }
    const place = nationalPlace(viewPrescription, endpoint, values)
    return viewed(await askSistemaTs(endpoint.tools, viewPrescription, request, { ...place, call }))
  },
  async history({ endpoint, values, call }) {
    const request = {
      ...dispenserOf(settingsOf(endpoint).options),
      nre: needed('nre', values.nre),
      ...(values.patient === undefined ? {} : { cfAssistito: citizenCode(endpoint, values.patient) }),
    }
    const place = nationalPlace(listPrescriptionHistory, endpoint, values)
    const { outcome, states } = await askSistemaTs(endpoint.tools, listPrescriptionHistory, request, { ...place, call })
    return resultOf(
      outcome,
      states.map(({ idStorico = '', dataStorico = '' }) => `${idStorico}  ${dataStorico}`),
    )
  },
  async 'used-numbers'({ endpoint, values, call }) {
    const { organization } = endpoint.gateway
    const { nre, from, to } = values
    const request = {
      codRegione: organization.code,
      cfMedico: needed('doctor', values.doctor),
      ...(nre === undefined ? {} : { nre }),
      ...(from === undefined ? {} : { dataCompilazioneRicettaDal: `${from} 00:00:00` }),
      ...(to === undefined ? {} : { dataCompilazioneRicettaAl: `${to} 23:59:59` }),
    }
    const place = nationalPlace(listUsedNumbers, endpoint, values)
    const { outcome, records } = await askSistemaTs(endpoint.tools, listUsedNumbers, request, { ...place, call })
    return resultOf(
      outcome,
      records.map((one) => `${one.nre ?? ''}  ${one.dataCompilazioneRicetta ?? ''}`),
    )
  },
  async citizen({ endpoint, values, call }) {
    const { options } = settingsOf(endpoint)
    const asked = typedPatient(needed('patient', values.patient))
    const request = {
      codRegioneRichiedente: textAt(options, 'citizens', 'region') ?? endpoint.gateway.organization.code,
      codiceIdentificativo: citizenCode(endpoint, asked.value),
    }
    const place = placeOf(lookUpCitizen, textAt(options, 'citizens', 'url'), values, {
      action: textAt(options, 'citizens', 'action'),
      namespace: textAt(options, 'citizens', 'namespace'),
    })
    const answer = await askSistemaTs(endpoint.tools, lookUpCitizen, request, { ...place, call })
    const facts = answer.outcome.accepted ? citizenFacts(asked, answer, endpoint.homeOf) : undefined
    if (facts === undefined) return resultOf(answer.outcome, ['nobody is known under the identifier'])
    return resultOf(answer.outcome, [
      `${facts.asked.valid ? 'valid' : 'not valid'}, ${facts.asked.kind}`,
      ...facts.identifiers.map(({ id, active }) => `${id.value}  ${active ? 'in force' : 'replaced'}`),
      ...(facts.assistance === undefined ? [] : [`assisted by ${facts.assistance.by}`]),
      ...(facts.dateOfDeath === undefined ? [] : [`died ${facts.dateOfDeath}`]),
    ])
  },
  async 'session create'(asking) {
    const { place, scope } = sessionOf(asking)
    const answer = await askForSession(createSession, { ...place, ...scope }, asking)
    return { ...ofSession(answer), ...(answer.token === undefined ? {} : { token: answer.token }) }
  },
  async 'session revoke'(asking) {
    return ofSession(await askForSession(revokeSession, { token: tokenOf(asking), ...sessionOf(asking).scope }, asking))
  },
  async 'session check'(asking) {
    const answer = await askForSession(checkSession, { token: tokenOf(asking), ...sessionOf(asking).scope }, asking)
    const { session } = answer
    if (session === undefined) return ofSession(answer)
    const [from, until] = [session.from, session.until].map((time) => new Date(time).toISOString())
    return ofSession(answer, [`${session.valid ? 'good' : 'not good'}, from ${from} until ${until}`])
  },
}

function resultOf({ accepted, code, errors }: TsOutcome, lines: readonly string[]): TsResult {
  return { accepted, code, errors, lines }
}

function ofSession({ accepted, errors }: SecondFactorAnswer, lines: readonly string[] = []): TsResult {
  return { accepted, code: accepted ? '0' : '1', errors, lines }
}

function stateLine(nre: string, code: string | undefined): string {
  return `${nre}  ${processState(code) ?? code ?? 'in no state that is told'}`
}

function viewed({ outcome, prescription }: PrescriptionAnswer): TsResult {
  if (prescription === undefined) return resultOf(outcome, ['nobody knows the number'])
  const { header, lines, nre } = prescription
  return resultOf(outcome, [
    stateLine(nre, header.statoProcesso),
    ...lines.map((line) => `${line.codProdPrest ?? ''}  ${line.descrProdPrest ?? ''}  ${line.quantita ?? ''}`),
  ])
}

function sessionOf({ endpoint: { entry } }: TsAsking) {
  const settings = entry.sistemaTs?.as === 'user' ? entry.sistemaTs.session : undefined
  const asked = settings !== undefined && 'create' in settings ? settings : undefined
  const place = {
    ...(asked?.region === undefined ? {} : { codRegione: asked.region }),
    ...(asked?.localAuthority === undefined ? {} : { codAslAo: asked.localAuthority }),
    ...(asked?.facility === undefined ? {} : { codSsa: asked.facility }),
    ...(asked?.structure === undefined ? {} : { codiceStruttura: asked.structure }),
  }
  const scope = { contesto: asked?.context ?? 'RICETTA-DEM', applicazione: asked?.application ?? 'EROGATORE' }
  return { url: asked?.create, place, scope }
}

function tokenOf({ endpoint: { material }, values }: TsAsking): string {
  return needed('token', values.token ?? material.session)
}

async function askForSession<Request, Answer>(
  operation: Operation<Request, Answer>,
  request: Omit<Request, keyof SecondFactorUser>,
  asking: TsAsking,
): Promise<Answer> {
  const { endpoint, values, call } = asking
  const url = values.url ?? sessionOf(asking).url
  if (url === undefined) throw new CliError('usage', '--url is needed: the configuration has no address for sessions')
  const { basic, codiceFiscale } = endpoint.material
  const user: SecondFactorUser & { readonly cfUtente?: string } = {
    ...(basic === undefined ? {} : { userId: basic.user }),
    identificativo: { tipo: 'P', valore: endpoint.pinCode() },
    ...(codiceFiscale === undefined ? {} : { cfUtente: codiceFiscale }),
  }
  const body = encodeTsEnvelope(operation.encode({ ...user, ...request } as unknown as Request))
  const { action = '' } = operation
  return answerOf(operation, await endpoint.postWithBasic({ url, action, body, signal: call.signal }))
}
