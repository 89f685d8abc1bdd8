import type { Permit } from '../model/call.ts'
import type { Consent } from '../model/change.ts'
import type { Timestamp } from '../model/timestamp.ts'
import { citizenRoles, systemRoles } from './roles.ts'

/** Consents by which the use of a record is permitted (ini.md §4.10). `C3` and `C4` go with `C2`: they are about the past. */
export type NeededConsent = 'C2' | 'C5' | 'C6' | 'C7' | 'C8'

/** What looking for a purpose depends on. */
export interface ConsentRow {
  readonly purposes: ReadonlySet<string>
  readonly needs: NeededConsent
  /** What the viewer is told without: nothing, or what they wrote themselves. */
  readonly without: 'nothing' | 'own'
  readonly source: string
}

/** What no public source settles. */
export interface ConsentOptions {
  /** Documents that tell of a time before are past ones: `C3` and `C4` are about them; absent, none are. */
  readonly pastBefore?: Timestamp
  /** Purposes that need no consent to consultation; default none: INI wants it in emergencies too (#2505). */
  readonly exempt?: readonly string[]
  /** Purposes for which `C5` to `C8` are needed: no purpose of use is public for them (ini.md §4.7, §4.10). */
  readonly purposes?: Readonly<Partial<Record<'C5' | 'C6' | 'C7' | 'C8', readonly string[]>>>
}

/**
 * Which consent each purpose of use needs. A purpose in no row needs none: citizens and their representatives look at
 * their own (PERSONAL), and systems keep the index (SYSADMIN, UPDATE by the gateway).
 */
export function consentTable({ exempt = [], purposes = {} }: ConsentOptions = {}): readonly ConsentRow[] {
  const { C5 = [], C6 = [], C7 = [], C8 = [] } = purposes
  const unlessExempt = (...of: readonly string[]) => of.filter((purpose) => !exempt.includes(purpose))
  const row = (needs: NeededConsent, of: readonly string[], source: string): ConsentRow => {
    return { purposes: new Set(of), needs, without: 'nothing', source }
  }
  return [
    row('C2', unlessExempt('TREATMENT'), 'ini.md §4.10 consultation; §6.1 PFA11 (#2035)'),
    row('C2', unlessExempt('EMERGENCY', 'PUBEMERGENCY'), 'ini.md §4.7: INI checks it in emergencies too (#2505)'),
    {
      ...{ purposes: new Set(unlessExempt('UPDATE')), needs: 'C2', without: 'own' },
      source: 'ini.md §4.7: for changing what one wrote; sistema-ts.md §C.1: producers always see their own',
    },
    row('C5', C5, 'ini.md §4.10: data of the EDS, for care (AD 2.6.4, #3040)'),
    row('C6', C6, 'ini.md §4.10: prevention (AD 2.6.4)'),
    row('C7', C7, 'ini.md §4.10: prevention, pseudonymised (AD 2.6.4)'),
    row('C8', C8, 'ini.md §4.10: prophylaxis (AD 2.6.4)'),
  ]
}

/** What a person's consents leave of a record to a viewer. */
export type Consented =
  | { readonly refused: NeededConsent }
  | { readonly hiddenBefore?: Timestamp; readonly authoredOnly?: true }

/** Whether the viewer depends on consents at all: only then they need to be known. */
export function dependsOnConsent(viewer: Permit['viewer'], table: readonly ConsentRow[]): boolean {
  return rowsFor(viewer, table).length > 0
}

/**
 * What the viewer may be told. A consent that is not told counts as not given; one told twice counts as given when it is
 * so both times. The past is told when it was consented to (`C3`) or expressly not opposed (`C4`), and not when opposed.
 */
export function consented(
  viewer: Permit['viewer'],
  consents: readonly Consent[],
  table: readonly ConsentRow[],
  { pastBefore }: ConsentOptions = {},
): Consented {
  const stated = (name: string) => consents.filter((consent) => consent.name === name).map(({ given }) => given)
  const given = (name: string) => stated(name).length > 0 && !stated(name).includes(false)
  const missing = rowsFor(viewer, table).filter(({ needs }) => !given(needs))
  const refusing = missing.find(({ without }) => without === 'nothing')
  if (refusing !== undefined) return { refused: refusing.needs }
  if (missing.length > 0) return { authoredOnly: true }
  if (pastBefore === undefined || !dependsOnConsent(viewer, table)) return {}
  const opposition = stated('C4')
  const isPastShown = !opposition.includes(true) && (given('C3') || opposition.includes(false))
  return isPastShown ? {} : { hiddenBefore: pastBefore }
}

function rowsFor({ role, purposeOfUse }: Permit['viewer'], table: readonly ConsentRow[]): readonly ConsentRow[] {
  if (citizenRoles.has(role) || systemRoles.has(role)) return []
  return table.filter(({ purposes }) => purposes.has(purposeOfUse))
}
