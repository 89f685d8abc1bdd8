import type { CitizenFacts, IdentifierKind } from '../../core/model/citizen-registry.ts'
import type { HomeCommunityId, Oid } from '../../core/model/identifiers.ts'
import {
  authorities,
  isEni,
  isNumericCodiceFiscale,
  isStp,
  isTeamCard,
  type PatientId,
} from '../../core/model/patient.ts'
import { membersOf, readTold } from './fields.ts'
import { operation } from './operation.ts'
import { misread, readOutcome, type TsOutcome } from './outcome.ts'
import { timestampOfTs } from './time.ts'

/**
 * Namespace of a contract of our own: the one of the true service ("ricerca ridotta assistito", the look-up made for
 * interregional mobility) is not public (sistema-ts.md A.10). Its words are those of the published services around it.
 */
export const mobilityNamespace = 'urn:crocevia:sistema-ts:interrogazione-mobilita:1'

/** An identifier a citizen has or has had, without its authority, which is not told. */
export interface ToldIdentifier {
  readonly value: string
  readonly active: boolean
}

/** What the registry answered, in its codes. */
export interface CitizenAnswer {
  readonly outcome: TsOutcome
  /** ValiditaCI: `0` present, `1` wrong or absent. */
  readonly validity?: '0' | '1'
  /** TipologiaCI: 0, 1, 2, 3, 4, 99. */
  readonly kind?: IdentifierKind
  readonly identifiers: readonly ToldIdentifier[]
  /** Three digits each. */
  readonly region?: string
  readonly localAuthority?: string
  readonly since?: string
  readonly dateOfDeath?: string
}

/** TipologiaCI of the verification service (sistema-ts.md A.10). */
const kinds: Readonly<Record<string, IdentifierKind>> = {
  '0': 'codice-fiscale',
  '1': 'stp',
  '2': 'eni',
  '3': 'team',
  '4': 'asylum-seeker',
  '99': 'not-registered',
}

const person = new Set([
  ...(['validitaCI', 'tipologiaCI', 'codRegioneAssistenza', 'codAslAssistenza'] as const),
  ...(['dataInizioAssistenza', 'dataDecesso'] as const),
])

/** Which identifiers a citizen has had, who assists them, and whether they live: "interrogazione in mobilità". */
export const lookUpCitizen = operation(
  {
    name: 'interrogazioneMobilita',
    action: `${mobilityNamespace}:InterrogazioneMobilita`,
    request: [mobilityNamespace, 'InterrogazioneMobilitaRichiesta'],
    answer: 'InterrogazioneMobilitaRicevuta',
  },
  {
    pinCode: { holds: 'secret', most: 2_000 },
    codRegioneRichiedente: { holds: 'text', least: 3, most: 3 },
    codiceIdentificativo: { holds: 'either', least: 1, most: 2_000 },
  },
  (tree, body): CitizenAnswer => {
    const outcome = readOutcome(tree, body, 'codEsito')
    const { validitaCI, tipologiaCI, ...told } = readTold(tree, body, person)
    if (validitaCI !== undefined && validitaCI !== '0' && validitaCI !== '1') throw misread('validitaCI')
    const kind = tipologiaCI === undefined ? undefined : kinds[tipologiaCI.replace(/^0+(?=.)/, '')]
    if (tipologiaCI !== undefined && kind === undefined) throw misread('tipologiaCI')
    const { codRegioneAssistenza, codAslAssistenza, dataInizioAssistenza, dataDecesso } = told
    return {
      outcome,
      identifiers: membersOf(tree, body, 'ElencoCFAssistito', 'CFAssistito').flatMap((node) => {
        const { cf, attivo } = readTold(tree, node, new Set(['cf', 'attivo'] as const))
        return cf === undefined ? [] : [{ value: cf, active: activeFlag(attivo) }]
      }),
      ...(validitaCI === undefined ? {} : { validity: validitaCI }),
      ...(kind === undefined ? {} : { kind }),
      ...(codRegioneAssistenza === undefined ? {} : { region: codRegioneAssistenza }),
      ...(codAslAssistenza === undefined ? {} : { localAuthority: codAslAssistenza }),
      ...(dataInizioAssistenza === undefined ? {} : { since: dataInizioAssistenza }),
      ...(dataDecesso === undefined ? {} : { dateOfDeath: dataDecesso }),
    }
  },
)

/** `attivo` is one character, whose values no public source tells: `1`, `S` and `T` are yes, `0`, `N` and `F` no. */
function activeFlag(text: string | undefined): boolean {
  if (/^[1st]/i.test(text ?? '')) return true
  if (/^[0nf]/i.test(text ?? '')) return false
  throw misread('attivo')
}

/** By our contract the code of no region: nobody assists the person. */
const nobody = '000'

/**
 * What the answer says of a citizen in our words; `undefined` when the registry knows nobody under the identifier. Throws
 * `community-misbehaved` for an answer that does not say whether the identifier is valid, or that names a region or an
 * identifier nobody knows: to guess would be to show one person's record as another's.
 */
export function citizenFacts(
  asked: PatientId,
  answer: CitizenAnswer,
  homeOf: (region: string) => HomeCommunityId | undefined,
): CitizenFacts | undefined {
  const { validity, kind, identifiers, region } = answer
  if (validity === undefined || kind === undefined) throw misread('validity')
  if (validity === '0' && kind === 'not-registered') throw misread('validity-and-kind-differ')
  if (validity === '1' && identifiers.length === 0 && region === undefined) return undefined
  const home = region === undefined || region === nobody ? ('none' as const) : homeOf(region)
  if (home === undefined) throw misread('region-unknown')
  const since = instantOf(answer.since, 'since')
  const dateOfDeath = instantOf(answer.dateOfDeath, 'date-of-death')
  return {
    asked: { id: asked, valid: validity === '0', kind },
    identifiers: identifiers.map(({ value, active }) => ({ id: identified(value, asked), active })),
    ...(region === undefined
      ? {}
      : {
          assistance: {
            by: home,
            ...(answer.localAuthority === undefined ? {} : { localAuthority: answer.localAuthority }),
            ...(since === undefined ? {} : { since }),
          },
        }),
    ...(dateOfDeath === undefined ? {} : { dateOfDeath }),
  }
}

function instantOf(text: string | undefined, what: string) {
  const told = timestampOfTs(text)
  if (text !== undefined && told === undefined) throw misread(what)
  return told
}

function identified(value: string, asked: PatientId): PatientId {
  if (value === asked.value) return asked
  return { value, authority: authorityOf(value) }
}

/** Identifiers come bare: their form tells whose they are. What has no form of its own is an error, not a guess. */
function authorityOf(value: string): Oid {
  if (isStp(value)) return authorities.stp
  if (isEni(value)) return authorities.eni
  if (isTeamCard(value)) return authorities.teamCard
  // Codes of test persons fail the check character (sistema-ts.md A.6), so only the form is asked for.
  if (/^[A-Z0-9]{16}$/.test(value) || isNumericCodiceFiscale(value)) return authorities.codiceFiscale
  throw misread('identifier')
}
