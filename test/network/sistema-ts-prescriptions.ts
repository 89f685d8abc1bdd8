import { type Citizen, citizenOf, citizens, codiceFiscale } from './citizens.ts'
import { cx, type Identifier } from './entry.ts'
import { authority } from './organizations.ts'
import { type Random, random } from './random.ts'
import { holders, type Seed } from './seed.ts'

/** States of a prescription (sistema-ts.md A.3). */
export const state = { toBeDispensed: '3', cancelled: '4', dispensed: '8', expired: '10' } as const

/** One line of a prescription, and what was dispensed of it. */
export interface TsLine {
  readonly code: string
  readonly text: string
  readonly quantity: number
  readonly dispensed: boolean
}

/** A prescription as Sistema TS keeps it. Times are on Italian clocks, `aaaa-mm-gg HH:MM:SS`. */
export interface TsPrescription {
  readonly nre: string
  readonly patient: Identifier
  readonly name: string
  /** Drugs or services. */
  readonly type: 'F' | 'P'
  readonly state: (typeof state)[keyof typeof state]
  readonly written: string
  readonly dispensedAt?: string
  readonly doctor: string
  /** Name and address are shown to dispensers on request only. */
  readonly hidesName: boolean
  readonly lines: readonly TsLine[]
}

// No municipality has a code that begins with X: these professionals cannot exist.
const doctors = ['BLDSRA66E50X501', 'NRENNA70A41X612', 'GLLPLA59D12X833'].map(codiceFiscale)
const drugs: readonly (readonly [string, string])[] = [
  ['019655029', 'Bentelan*10 cpr eff 0,5 mg'],
  ['023993013', 'Augmentin*12 cpr riv 875+125 mg'],
  ['027860016', 'Pantorc*14 cpr gastr 20 mg'],
]
const services: readonly (readonly [string, string])[] = [
  ['8902', 'Visita di controllo'],
  ['90622', 'Emocromo completo'],
  ['88741', 'Ecografia addome superiore'],
]
const document = /^2\.16\.840\.1\.113883\.2\.9\.4\.3\.8\^([0-9A-Z]{15})_(PRE|ERO)(FARM|SPEC)$/

/** Prescriptions behind the documents of Sistema TS that others tell of, and some that are known here only. */
export function sowPrescriptions(seed: Seed): readonly TsPrescription[] {
  const numbers = new Map<string, { patient: Identifier; type: 'F' | 'P'; dispensed: boolean; created: string }>()
  for (const entry of holders.flatMap((holder) => seed.holdings[holder].entries)) {
    const [, nre, what, kind] = document.exec(entry.uniqueId) ?? []
    if (nre === undefined) continue
    const dispensed = what === 'ERO' || numbers.get(nre)?.dispensed === true
    const type = kind === 'FARM' ? 'F' : 'P'
    numbers.set(nre, { patient: entry.patient, type, dispensed, created: entry.creationTime })
  }
  const shared = [...numbers].map(([nre, { created, dispensed, ...facts }]) =>
    made(seed.name, {
      nre,
      ...facts,
      year: created.slice(0, 4),
      state: dispensed ? state.dispensed : state.toBeDispensed,
    }),
  )
  return [...shared, ...onlyHere(seed.name)]
}

/** Those nobody has told the record of yet: one to be dispensed, one cancelled, one expired, one under a former code. */
function onlyHere(seed: string): readonly TsPrescription[] {
  const { tuscan, lazio, 'two-codes': twoCodes } = citizens
  const rows: readonly [Citizen, string, 'F' | 'P', TsPrescription['state'], boolean][] = [
    [tuscan, '0900A4900000001', 'F', state.toBeDispensed, false],
    [tuscan, '0900A4900000002', 'P', state.cancelled, false],
    [tuscan, '0900A4900000003', 'F', state.expired, true],
    [twoCodes, '0900A4900000004', 'P', state.dispensed, false],
    [lazio, '1200A4900000005', 'F', state.toBeDispensed, false],
  ]
  return rows.map(([{ identifiers }, nre, type, inState, hidesName]) => {
    const patient = identifiers.at(-1) ?? identifiers[0]
    const { value, authority: given } = patient
    return made(seed, { nre, patient: { value, authority: given }, type, state: inState, year: '2026', hidesName })
  })
}

type Wanted = Pick<TsPrescription, 'nre' | 'patient' | 'type' | 'state'> & { year: string; hidesName?: boolean }

function made(seed: string, { year, hidesName = false, ...wanted }: Wanted): TsPrescription {
  const draw = random(`${seed}/sistema-ts/${wanted.nre}`)
  const written = `${year}-${two(draw.integer(1, 9))}-${two(draw.integer(1, 28))} ${two(draw.integer(8, 18))}:30:00`
  const isDispensed = wanted.state === state.dispensed
  const { family = '', given = '' } = citizenOf(wanted.patient) ?? {}
  return {
    ...wanted,
    name: `${family} ${given}`.toUpperCase(),
    written,
    ...(isDispensed && { dispensedAt: `${written.slice(0, 8)}28 19:15:00` }),
    doctor: draw.pick(doctors),
    hidesName,
    lines: Array.from({ length: draw.integer(1, 3) }, () => line(draw, wanted.type, isDispensed)),
  }
}

function line(draw: Random, type: 'F' | 'P', dispensed: boolean): TsLine {
  const [code, text] = draw.pick(type === 'F' ? drugs : services)
  return { code, text, quantity: draw.integer(1, 3), dispensed }
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** The ids of the documents there are of a prescription. */
export function documentsOf({ nre, type, state: inState }: TsPrescription): readonly string[] {
  const suffix = type === 'F' ? 'FARM' : 'SPEC'
  const kinds = inState === state.dispensed ? ['PRE', 'ERO'] : ['PRE']
  return kinds.map((kind) => `${authority.prescription}^${nre}_${kind}${suffix}`)
}

/** Whether one code is among those of the person; Sistema TS files under each code apart. */
export function isFiledUnder({ patient }: TsPrescription, id: Identifier): boolean {
  return cx(patient) === cx(id)
}
