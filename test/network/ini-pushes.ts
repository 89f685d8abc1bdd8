import { citizens } from './citizens.ts'
import { makeDocument } from './documents.ts'
import { cx, type DocumentFacts, type Identifier, isObscured } from './entry.ts'
import type { IniPushes, NoticeWishes, PushWishes, ToldNotice, Whom } from './ini-driver.ts'
import { assertionsFor, callerOf, exchanged, type Saying, say, voiceOf, type Wishes } from './ini-exchange.ts'
import {
  consentNotice,
  hidingNotice,
  type NoticeKind,
  noticeEnvelope,
  notices,
  retrieveNotice,
  submitNotice,
} from './ini-notices.ts'
import { hidingChain, indexTransfer } from './ini-stories.ts'
import { kindOf } from './kinds.ts'
import { writePackage } from './mtom.ts'
import { authority as authorities } from './organizations.ts'
import { readNoticeAnswer } from './push-answer.ts'
import { readRetrieval, retrieveDocumentSet, retrieveRequest } from './retrieve.ts'
import { adhocQuery, sendForBytes, soapRequest } from './soap-client.ts'
import {
  nationalDelete,
  type Purpose,
  registerDocumentSet,
  removeObjectsRequest,
  submissionOf,
  submitObjectsRequest,
  updateDocumentSet,
} from './submission.ts'
import { contentType } from './value-sets.ts'

/** Where INI calls the gateway. */
export const iniPaths = {
  registry: '/ini/DocumentRegistry_Service',
  references: '/ini/FindDocumentReferences/DocumentRegistry_Service',
  update: '/ini/MetadataUpdate/DocumentRegistry_Service',
  delete: '/ini/Delete/XDSDeletetWSService',
  repository: '/ini/DocumentRepository_Service',
  transferSearch: '/ini/RegistryIndexTransfer/DocumentRegistry_Service',
  transferDelete: '/ini/RegistryIndexTransfer/XDSDeletetWSService',
} as const

const storedQuery = 'urn:ihe:iti:2007:RegistryStoredQuery'
const approved = ['urn:oasis:names:tc:ebxml-regrep:StatusType:Approved']

export interface IniPushOptions {
  readonly certificates: string
  /** The name of the seed, from which new documents are drawn. */
  readonly seed: string
  /** Where the gateway's SOAP services stand. */
  readonly origin: string
  /** INI's own, which it writes in `To` of notices. */
  readonly iniOrigin: string
  readonly now?: () => number
}

export async function iniPushes(options: IniPushOptions): Promise<IniPushes> {
  const { certificates, seed, origin, iniOrigin, now = () => Date.now() } = options
  const caller = await callerOf(certificates, origin, now)
  // Beyond the numbers of the seed's own documents.
  let number = 9000

  const submit = (facts: DocumentFacts, purpose: Purpose, wishes: PushWishes, path: string, said: Saying['defaults']) =>
    say(
      {
        path,
        actionUri: path === iniPaths.update ? updateDocumentSet : registerDocumentSet,
        body: submitObjectsRequest(submissionOf(facts, purpose, wishes)),
        about: facts.patient,
        defaults: said,
      },
      wishes,
      caller,
    )

  function query(path: string, whom: Identifier, body: string, defaults: Saying['defaults'], wishes: Wishes) {
    return say({ path, actionUri: storedQuery, body, about: whom, defaults }, wishes, caller)
  }

  const tell = (kind: NoticeKind, body: string, wishes: NoticeWishes = {}): Promise<ToldNotice> => {
    const { change = (message: string) => message } = wishes
    const message = change(noticeEnvelope(kind, body, iniOrigin))
    const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${notices[kind].action}"` }
    const once = async (): Promise<ToldNotice> => {
      const exchange = await exchanged(origin + notices[kind].path, message, headers, wishes, caller)
      const read = exchange.http === undefined ? {} : readNoticeAnswer(exchange.http)
      return { ...read, ...exchange, again: once, afresh: () => tell(kind, body, wishes) }
    }
    return once()
  }

  const driver: IniPushes = {
    document(wishes = {}) {
      const {
        citizen = 'tuscan',
        keeper = '050',
        type = '11502-2',
        number: wanted = ++number,
        change,
        ...more
      } = wishes
      const { value, authority } = citizens[citizen].identifiers[0]
      const under = { value, authority }
      const facts = makeDocument(seed, {
        citizen: citizens[citizen],
        keeper,
        kind: kindOf(type),
        under,
        number: wanted,
        ...more,
      })
      return { ...facts, ...change }
    },
    prescribed(citizen, keepers = ['050', '120']) {
      const prescription = driver.document({ citizen, keeper: '000', type: '57832-8' })
      const dispensing = driver.document({ citizen, keeper: '000', type: '81223-0', number })
      const nre = /\^(.{15})_/.exec(prescription.uniqueId)?.[1] ?? ''
      const references = [`${nre}^^^&${authorities.prescription}&ISO^urn:ihe:iti:xds:2013:order`]
      const reports = keepers.map((keeper) => driver.document({ citizen, keeper, change: { references } }))
      return { nre, prescription, reports, dispensing: { ...dispensing, references } }
    },
    create: (facts, wishes = {}) =>
      submit(facts, { kind: 'create' }, wishes, iniPaths.registry, saidBy(facts, 'CREATE', 'TREATMENT')),
    replace: (facts, older, wishes = {}) =>
      submit(facts, { kind: 'replace', older }, wishes, iniPaths.registry, saidBy(facts, 'UPDATE', 'UPDATE')),
    update: (facts, former, wishes = {}) =>
      submit(facts, { kind: 'update', former }, wishes, iniPaths.update, saidBy(facts, 'UPDATE', updating(facts))),
    updateOldWay: (facts, former, wishes = {}) =>
      submit(
        facts,
        { kind: 'replace-itself', former },
        wishes,
        iniPaths.registry,
        saidBy(facts, 'UPDATE', updating(facts)),
      ),
    transferIn: (facts, wishes = {}) =>
      submit(facts, { kind: 'create' }, { content: contentType('INI'), source: '000', ...wishes }, iniPaths.registry, {
        as: '000',
        role: 'INI',
        purpose: 'SYSADMIN',
        action: 'CREATE',
      }),
    remove: (whom, ids, wishes = {}) =>
      say(
        {
          path: iniPaths.delete,
          actionUri: nationalDelete,
          body: removeObjectsRequest(ids),
          about: identifierOf(whom),
          defaults: { as: '050', role: 'AAS', purpose: 'UPDATE', action: 'DELETE' },
        },
        wishes,
        caller,
      ),
    searchAs(region, whom, wishes = {}) {
      const about = identifierOf(whom)
      const { returnType = 'LeafClass', parameters = {} } = wishes
      const usual = { $XDSDocumentEntryPatientId: cx(about), $XDSDocumentEntryStatus: approved, ...parameters }
      const body = wishes.body ?? adhocQuery('FindDocuments', usual, { returnType })
      return query(
        iniPaths.registry,
        about,
        body,
        { as: region, role: 'AAS', purpose: 'TREATMENT', action: 'READ' },
        wishes,
      )
    },
    references({ uniqueId, patient, author, keeper }, wishes = {}) {
      const body = adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: [uniqueId] }, { returnType: 'ObjectRef' })
      const { role } = author
      const said = {
        as: voiceOf(keeper),
        role,
        purpose: 'UPDATE',
        action: 'READ',
        claims: { subject: cx(author.person) },
      }
      return query(iniPaths.references, patient, body, said, wishes)
    },
    async retrieve(region, whom, references, wishes = {}) {
      const to = origin + iniPaths.repository
      const saying: Saying = {
        path: iniPaths.repository,
        actionUri: retrieveDocumentSet,
        body: retrieveRequest(references),
        about: identifierOf(whom),
        defaults: { as: region, role: 'AAS', purpose: 'TREATMENT', action: 'READ' },
      }
      const assertions = assertionsFor(saying, wishes, caller)
      const message = soapRequest({ to, action: retrieveDocumentSet, assertions, body: saying.body })
      const sent =
        wishes.packaging === 'plain'
          ? { contentType: 'application/soap+xml; charset=utf-8', body: message }
          : writePackage(message, [])
      const { signal } = wishes
      return readRetrieval(
        await sendForBytes(to, caller.channel, {
          headers: { 'content-type': sent.contentType },
          body: sent.body,
          ...(signal && { signal }),
        }),
      )
    },
    hidingChain: (whom, nre, wishes = {}) => hidingChain(driver, identifierOf(whom), nre, wishes),
    indexTransfer: (whom, wishes = {}) => indexTransfer(driver, identifierOf(whom), wishes),
    notifySubmit: (notice, wishes) => tell('submit', submitNotice(notice), wishes),
    notifyRetrieve: (notice, wishes) => tell('retrieve', retrieveNotice(notice), wishes),
    notifyHiding: (notice, wishes) => tell('hiding', hidingNotice(notice, now()), wishes),
    notifyConsent: (notice, wishes) => tell('consent', consentNotice(notice, now()), wishes),
    straySubmit() {
      const { uniqueId, repositoryUniqueId } = driver.document({ citizen: 'renamed', keeper: '120' })
      const [patient] = citizens.renamed.identifiers
      return tell(
        'submit',
        submitNotice({ patient, document: uniqueId, repository: repositoryUniqueId, region: '150' }),
      )
    },
    say: (saying, wishes = {}) => say(saying, wishes, caller),
  }
  return driver
}

function identifierOf(whom: Whom): Identifier {
  if (typeof whom !== 'string') return whom
  const { value, authority } = citizens[whom].identifiers[0]
  return { value, authority }
}

/** A change as the author of the document makes it, through whoever keeps it. */
function saidBy({ author, keeper, typeCode }: DocumentFacts, action: string, purpose: string): Saying['defaults'] {
  const as = voiceOf(keeper)
  const claims = { subject: cx(author.person), documentTypes: [`${typeCode.code}^^${typeCode.scheme}`] }
  return { as, role: author.role, purpose, action, claims }
}

/** Whoever obscures a document, or reveals it, says so (ini.md §4.5). */
function updating(facts: DocumentFacts): string {
  return isObscured(facts) || facts.events.some(({ code }) => code === 'P00') ? 'ACCESS UPDATE' : 'UPDATE'
}
