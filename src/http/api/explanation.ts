import type { FederatedAnswer, MergedEntry } from '../../core/model/answers.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import { authorityOf } from '../../core/policy/routing.ts'
import type { Community, KnownPatient, Relation } from '../../core/ports.ts'
import { communityView, idOf } from './index-view.ts'

/** Whom a question was about and who was asked. */
export interface Routed {
  readonly known: KnownPatient
  readonly targets: readonly Community[]
}

/** A rule in words, English and Italian. */
interface Words {
  readonly why: string
  readonly whyIt: string
}

const asked: Readonly<Record<Relation, Words>> = {
  own: {
    why: 'Our own record is asked about everybody',
    whyIt: 'Il fascicolo della nostra regione è interrogato per tutti',
  },
  partner: {
    why: 'Partner communities are asked about everybody',
    whyIt: 'Le comunità collegate direttamente sono interrogate per tutti',
  },
  national: {
    why: 'INI is asked, since the person is not known to be assisted by our region',
    whyIt: 'INI è interrogata perché l’assistito non risulta in carico alla nostra regione',
  },
  supplement: {
    why: 'It adds to our record what it knows, unless another region assists the person',
    whyIt: 'Integra il nostro fascicolo, se l’assistito non è in carico a un’altra regione',
  },
}

const passedOver: Readonly<Record<Relation, Words>> = {
  own: { why: 'The question is for another community', whyIt: 'La domanda riguarda un’altra comunità' },
  partner: { why: 'The question is for another community', whyIt: 'La domanda riguarda un’altra comunità' },
  national: {
    why: 'INI has nothing to add about those whom our region assists, or the question is for another community',
    whyIt: 'INI non aggiunge nulla per gli assistiti della nostra regione, o la domanda riguarda un’altra comunità',
  },
  supplement: {
    why: 'Another region assists the person, or the question is for another community',
    whyIt: 'L’assistito è in carico a un’altra regione, o la domanda riguarda un’altra comunità',
  },
}

const named: Words = {
  why: 'The question names this community, or one whose documents it tells of',
  whyIt: 'La domanda indica questa comunità, o una di cui conosce i documenti',
}

/** By `authorityOf`, and what goes before it. */
const ranks: readonly (Words & { readonly rule: string })[] = [
  {
    rule: 'region-of-assistance',
    why: 'The region that assists the person keeps their one index',
    whyIt: 'La regione di assistenza tiene l’indice dell’assistito',
  },
  {
    rule: 'national-infrastructure',
    why: 'INI speaks for the region that assists the person',
    whyIt: 'INI risponde per la regione di assistenza',
  },
  { rule: 'producer', why: 'It produced the document', whyIt: 'Ha prodotto il documento' },
  { rule: 'own-record', why: 'Our own record goes before others', whyIt: 'Il nostro fascicolo precede gli altri' },
  { rule: 'national-index', why: 'INI goes before partners', whyIt: 'INI precede le comunità collegate' },
  {
    rule: 'partner',
    why: 'A community that registers documents goes before one that only adds to an index',
    whyIt: 'Chi registra documenti precede chi integra un indice',
  },
  { rule: 'supplement', why: 'Nobody else tells of it', whyIt: 'Nessun altro lo conosce' },
]

const higherVersion = {
  rule: 'higher-version',
  why: 'It tells of the highest version of the metadata',
  whyIt: 'Conosce la versione più alta dei metadati',
}

/**
 * Who was asked and why, how long it took, and whose word counted where several told of a document. It speaks of what the
 * answer shows and of nothing else.
 */
export function explained(
  answer: FederatedAnswer,
  { known, targets }: Routed,
  communities: readonly Community[],
  home: HomeCommunityId | undefined,
) {
  const able = communities.filter(({ registry }) => registry !== undefined)
  const byHome = new Map([...able, ...targets].map((one) => [one.home, one]))
  return {
    asked: answer.asked.map((leg) => {
      const relation = byHome.get(leg.home)?.relation ?? 'partner'
      return { ...communityView(leg), relation, ...(home === undefined ? asked[relation] : named) }
    }),
    notAsked: able
      .filter((one) => !targets.includes(one))
      .map(({ home, name, relation }) => ({ community: home, name, relation, ...passedOver[relation] })),
    merged: answer.entries
      .filter(({ sources }) => sources.length > 1)
      .map((entry) => ({ entry: idOf(entry), ...decided(entry, known, byHome) })),
  }
}

function decided(entry: MergedEntry, known: KnownPatient, byHome: ReadonlyMap<string, Community>) {
  const rankOf = (home: HomeCommunityId) => {
    const community = byHome.get(home)
    return community === undefined ? ranks.length - 1 : authorityOf(community, entry, known)
  }
  const homes = entry.sources.map(({ home }) => home)
  const [preferred = entry.home] = homes
  const rank = preferred === undefined ? ranks.length - 1 : rankOf(preferred)
  const isOverruled = homes.some((home) => rankOf(home) < rank)
  const words = isOverruled ? higherVersion : (ranks[rank] ?? higherVersion)
  return { sources: homes, preferred, ...words }
}
