import type { CitizenKey } from './citizens.ts'
import type { Wanted } from './documents.ts'
import type { DocumentFacts, Identifier } from './entry.ts'
import type { Exchange, PushAnswer, Saying, Voice, Wishes } from './ini-exchange.ts'
import type { ConsentNotice, HidingNotice, RetrieveNotice, SubmitNotice } from './ini-notices.ts'
import type { HidingChain, IndexTransfer, TransferWishes } from './ini-stories.ts'
import type { NoticeAnswer } from './push-answer.ts'
import type { Reference, Retrieval } from './retrieve.ts'
import type { Known, SubmissionWishes } from './submission.ts'

/** A synthetic person by name, or an identifier. */
export type Whom = CitizenKey | Identifier

export type PushWishes = Wishes & SubmissionWishes

/** What a document is to look like; the rest is drawn from the seed's name and its number. */
export interface DocumentWishes extends Partial<Pick<Wanted, 'number' | 'events' | 'confidentiality'>> {
  readonly citizen?: CitizenKey
  /** Code of the organization that keeps it; default Veneto. */
  readonly keeper?: string
  /** LOINC; default a laboratory report. */
  readonly type?: string
  readonly change?: Partial<DocumentFacts>
}

/** A query in INI's name: FindDocuments for approved documents, unless it is another. */
export interface SearchWishes extends Wishes {
  readonly body?: string
  readonly returnType?: 'LeafClass' | 'ObjectRef'
  /** More parameters of FindDocuments. */
  readonly parameters?: Readonly<Record<string, string | readonly string[]>>
}

export type NoticeWishes = Pick<Wishes, 'impatient' | 'signal' | 'change'>

/** What was answered to a notice, which can be sent again. */
export type ToldNotice = NoticeAnswer &
  Exchange & {
    /** The very same message. */
    again(): Promise<ToldNotice>
    /** The same notice in a new message. */
    afresh(): Promise<ToldNotice>
  }

/** INI, calling the gateway. Whatever it does, it tells what it was answered; nothing here throws for a refusal. */
export interface IniPushes {
  /** A document that no registry knows yet. */
  document(wishes?: DocumentWishes): DocumentFacts
  /** A prescription and what was made of it: a report of each keeper and a dispensing, all of which cite its number. */
  prescribed(citizen: CitizenKey, keepers?: readonly string[]): Prescribed
  /** ITI-42. */
  create(facts: DocumentFacts, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-42 with RPLC. */
  replace(facts: DocumentFacts, older: Known, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-57: the logical id, and the version it was made from (default that of `former`, or 1). */
  update(facts: DocumentFacts, former: Known, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-42, the document replacing itself: how INI updated before ITI-57 (#761). */
  updateOldWay(facts: DocumentFacts, former: Known, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-62. */
  remove(whom: Whom, ids: readonly string[], wishes?: Wishes): Promise<PushAnswer>
  /** ITI-18, forwarded for a region that treats somebody whom we assist. */
  searchAs(region: Voice, whom: Whom, wishes?: SearchWishes): Promise<PushAnswer>
  /** ITI-18 before a change: GetDocuments by unique id, ObjectRef, as the author of the document. */
  references(
    facts: Pick<DocumentFacts, 'uniqueId' | 'patient' | 'author' | 'keeper'>,
    wishes?: Wishes,
  ): Promise<PushAnswer>
  /** ITI-43, forwarded for a region. */
  retrieve(
    region: Voice,
    whom: Whom,
    references: readonly Reference[],
    wishes?: Wishes & { readonly packaging?: 'mtom' | 'plain' },
  ): Promise<Retrieval>
  /** What follows from the hiding of one document about a prescription (ini.md §7.3). */
  hidingChain(whom: Whom, nre: string, wishes?: Wishes & { readonly source?: string }): Promise<HidingChain>
  /** Reads the index of somebody in chunks, and deletes what it has read (ini.md §7.1). */
  indexTransfer(whom: Whom, wishes?: TransferWishes): Promise<IndexTransfer>
  /** Index transfer in push mode: ITI-42, contentTypeCode INI. */
  transferIn(facts: DocumentFacts, wishes?: PushWishes): Promise<PushAnswer>
  notifySubmit(notice: SubmitNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  notifyRetrieve(notice: RetrieveNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  notifyHiding(notice: HidingNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  notifyConsent(notice: ConsentNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  /** A notice of what another region did about somebody else’s citizen, as INI sends them at times (#788). */
  straySubmit(): Promise<ToldNotice>
  /** The endpoint of a message of one's own, with INI's certificate. */
  say(saying: Saying, wishes?: Wishes): Promise<PushAnswer>
}

/** Documents of one chain. */
export interface Prescribed {
  /** Number of the electronic prescription (NRE). */
  readonly nre: string
  readonly prescription: DocumentFacts
  readonly reports: readonly DocumentFacts[]
  readonly dispensing: DocumentFacts
}
