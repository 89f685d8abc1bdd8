import type { AdapterTools, SistemaTsTools } from '../../src/config/adapter.ts'
import { asGatewayError, GatewayError, type Issue } from '../../src/core/errors.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import { authorities, type PatientId } from '../../src/core/model/patient.ts'
import { askSistemaTs } from '../../src/wire/sistema-ts/ask.ts'
import { issuesOf, requireAccepted, type TsOutcome } from '../../src/wire/sistema-ts/outcome.ts'
import { processState } from '../../src/wire/sistema-ts/prescription.ts'
import {
  type ListedPrescription,
  listCitizenPrescriptions,
  listPrescriptions,
  viewPrescription,
} from '../../src/wire/sistema-ts/prescriptions.ts'
import type { Filed } from './entries.ts'
import type { SistemaTsOptions } from './options.ts'

export interface Found {
  readonly prescriptions: readonly Filed[]
  readonly issues: readonly Issue[]
}

/**
 * Tells a citizen's prescriptions. Whose one is, is known from the list it stands in, which is the citizen's own: what is
 * looked at by its number alone may be anybody's. Rejects with GatewayError; `patient-unknown` for identifiers that Sistema
 * TS does not know people by.
 */
export interface PrescriptionSource {
  /** All of them, or one where a number is given. Not all could be read where an issue says so. */
  ofCitizen(patientId: PatientId, call: AuthorizedCall, nre?: string): Promise<Found>
}

const nothing: Found = { prescriptions: [], issues: [] }

/** The code by which Sistema TS says that something was dispensed outside the health service (sistema-ts.md A.3). */
const outsideHealthService = '5221'

/** Of the identifiers, those Sistema TS knows people by (SAC24: CF, STP or ENI). */
function codeOf({ value, authority }: PatientId): string {
  const known: readonly string[] = [authorities.codiceFiscale, authorities.stp, authorities.eni]
  if (known.includes(authority)) return value
  throw new GatewayError('patient-unknown', 'Sistema TS knows nobody by such an identifier')
}

function isPaid({ errors }: TsOutcome): boolean {
  return errors.some(({ code }) => code === outsideHealthService)
}

/** What Sistema TS said beside an answer, but for what only qualifies a dispensing. */
function remarks(outcome: TsOutcome): readonly Issue[] {
  return issuesOf({ errors: outcome.errors.filter(({ code }) => code !== outsideHealthService) })
}

/** The source that the options name; undefined when they name none. */
export function prescriptionSource(
  options: SistemaTsOptions,
  sistemaTs: SistemaTsTools,
): PrescriptionSource | undefined {
  const spelled = (patientId: PatientId) => {
    const code = codeOf(patientId)
    return options.citizenCode === 'clear' ? code : sistemaTs.encrypt(code)
  }
  const { sar, host, dispenser } = options
  if (options.list === 'sar' && sar !== undefined) return sarSource(sar, spelled, sistemaTs)
  if (options.list === 'elencoRicette' && host !== undefined && dispenser !== undefined) {
    return dispenserSource({ ...options, host, dispenser }, spelled, sistemaTs)
  }
  return undefined
}

type Spelled = (patientId: PatientId) => ReturnType<SistemaTsTools['encrypt']> | string

/** A region's own list tells everything at once. */
function sarSource(
  sar: NonNullable<SistemaTsOptions['sar']>,
  spelled: Spelled,
  tools: SistemaTsTools,
): PrescriptionSource {
  return {
    async ofCitizen(patientId, call, nre) {
      const { outcome, prescriptions } = await askSistemaTs(
        tools,
        listCitizenPrescriptions,
        {
          ...(sar.application === undefined ? {} : { applicativoChiamante: sar.application }),
          cfAssistito: spelled(patientId),
          ...(nre === undefined ? {} : { nre }),
          richiedente: requesterOf(call, sar.requester),
        },
        placeOf(sar, call),
      )
      requireAccepted(outcome)
      return {
        prescriptions: prescriptions
          .filter((one) => nre === undefined || one.nre === nre)
          .map((prescription) => ({ prescription, patientId, paid: false })),
        issues: remarks(outcome),
      }
    },
  }
}

function requesterOf({ assertion }: AuthorizedCall, other: string | undefined): string {
  const { subjectId } = assertion
  const requester = subjectId?.authority === authorities.codiceFiscale ? subjectId.value : other
  if (requester !== undefined) return requester
  throw new GatewayError('access-denied', 'Who asks for prescriptions must be named by a codice fiscale')
}

function placeOf<Call>(
  { url, action, namespace }: { url: string; action: string; namespace?: string | undefined },
  call: Call,
) {
  return { url, action, call, ...(namespace === undefined ? {} : { namespace }) }
}

interface DispenserOptions extends Pick<SistemaTsOptions, 'mostPrescriptions' | 'viewsAtOnce'> {
  readonly host: string
  readonly dispenser: NonNullable<SistemaTsOptions['dispenser']>
}

/** Dispensers' list tells numbers alone: each is then looked at, which takes no prescription in charge. */
function dispenserSource(
  { host, dispenser, mostPrescriptions, viewsAtOnce }: DispenserOptions,
  spelled: Spelled,
  tools: SistemaTsTools,
): PrescriptionSource {
  const url = new URL(listPrescriptions.path ?? '', host).href
  const { operator } = dispenser
  const who = {
    codiceRegioneErogatore: dispenser.region,
    codiceAslErogatore: dispenser.localAuthority,
    codiceSsaErogatore: dispenser.facility,
    ...(operator === undefined ? {} : { pwd: operator }),
  }

  async function viewed(nre: string, patientId: PatientId, call: AuthorizedCall): Promise<Found> {
    const request = { ...who, nre, cfAssistito: spelled(patientId) }
    const { outcome, prescription } = await askSistemaTs(tools, viewPrescription, request, { url, call })
    requireAccepted(outcome)
    // Nobody's number is answered as if all were well, and a number is answered for no other.
    if (prescription?.nre !== nre) return nothing
    return { prescriptions: [{ prescription, patientId, paid: isPaid(outcome) }], issues: remarks(outcome) }
  }

  return {
    async ofCitizen(patientId, call, nre) {
      const request = { ...who, ...(nre === undefined ? {} : { nre }), cfAssistito: spelled(patientId) }
      const { outcome, prescriptions, total } = await askSistemaTs(tools, listPrescriptions, request, { url, call })
      requireAccepted(outcome)
      const numbers = numbersIn(prescriptions, nre)
      const seen = numbers.slice(0, mostPrescriptions)
      const answers = await eachOf(seen, viewsAtOnce, call.signal, (number) => viewed(number, patientId, call))
      return together(answers, [
        ...remarks(outcome),
        // The list itself may tell of more than stand in it.
        ...leftOut(Math.max(numbers.length, nre === undefined ? total - unborn(prescriptions) : 0) - seen.length),
      ])
    },
  }
}

/** Numbers without a prescription yet are not looked at. */
function numbersIn(listed: readonly ListedPrescription[], wanted: string | undefined): readonly string[] {
  const numbers = listed.filter((one) => !isUnborn(one)).flatMap(({ nre }) => nre ?? [])
  return [...new Set(numbers)].filter((number) => wanted === undefined || number === wanted)
}

function isUnborn({ statoRicetta }: ListedPrescription): boolean {
  const state = processState(statoRicetta)
  return state === 'lot-requested' || state === 'lot-requested-by-prescriber'
}

function unborn(listed: readonly ListedPrescription[]): number {
  return listed.filter(isUnborn).length
}

function leftOut(count: number): readonly Issue[] {
  if (count <= 0) return []
  const text = `Left out ${count} prescriptions: there are more than are looked at`
  return [{ severity: 'warning', code: 'XDSTooManyResults', text }]
}

/** What could not be read costs an error beside the rest; nothing at all is a failure. */
function together(answers: readonly (Found | GatewayError)[], issues: readonly Issue[]): Found {
  const failures = answers.filter((answer) => answer instanceof GatewayError)
  const found = answers.filter((answer): answer is Found => !(answer instanceof GatewayError))
  const [first] = failures
  if (first !== undefined && found.length === 0) throw first
  const lost: Issue[] = failures.map(({ code }) => ({
    ...{ severity: 'error', code: 'XDSRegistryError' },
    text: `A prescription could not be read (${code})`,
  }))
  return {
    prescriptions: found.flatMap(({ prescriptions }) => prescriptions),
    issues: [...issues, ...found.flatMap((one) => one.issues), ...lost],
  }
}

/** So many at a time, the results in order. After refused credentials, and once nobody waits, no more are begun. */
async function eachOf<T>(
  items: readonly string[],
  atOnce: number,
  signal: AbortSignal,
  ask: (item: string) => Promise<T>,
): Promise<(T | GatewayError)[]> {
  const results: (T | GatewayError)[] = []
  const waiting = items.entries()
  let over: GatewayError | undefined
  const work = async () => {
    for (const [index, item] of waiting) {
      if (over !== undefined) {
        results[index] = over
        continue
      }
      results[index] = await ask(item).catch((thrown: unknown) => {
        const error = asGatewayError(thrown)
        if (signal.aborted || error.details.reason === 'authentication') over = error
        return error
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  if (over !== undefined) throw over
  return results
}

/** The way to Sistema TS of an entry. Throws Error when the entry says nothing of it. */
export function requireSistemaTs({ sistemaTs }: Pick<AdapterTools, 'sistemaTs'>, name: string): SistemaTsTools {
  if (sistemaTs === undefined)
    throw new Error(`Community ${name} needs sistemaTs, which says how Sistema TS is spoken to`)
  return sistemaTs
}
