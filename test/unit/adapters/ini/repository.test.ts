import { beforeEach, describe, expect, it } from 'vitest'
import { iniOptions } from '../../../../adapters/ini/options.ts'
import { iniRepository } from '../../../../adapters/ini/repository.ts'
import { recentSearches } from '../../../../adapters/ini/searches.ts'
import type { AdapterTools, RepositoryQuestion, RepositoryReply } from '../../../../src/config/adapter.ts'
import type { AuthorizedCall } from '../../../../src/core/model/call.ts'
import type { DocumentReference, RetrieveIssue } from '../../../../src/core/model/retrieval.ts'
import { answer, authorized, entry, homes } from '../../../support/builders.ts'

const minutes = 60_000
const repositoryUniqueId = '2.16.840.1.113883.2.9.2.50.4.5.1'
const clock = { at: 0, now: () => clock.at }
const url = 'https://ini.example/retrieve'

const named = (name: string): DocumentReference => ({
  ...{ home: homes.veneto, repositoryUniqueId },
  uniqueId: entry(name).uniqueId,
})
const document = ({ uniqueId }: DocumentReference) => ({
  ...{ repositoryUniqueId, uniqueId, mimeType: 'application/pdf' },
  content: {
    ...{ size: 0, sha1: '' },
    async *read() {},
    async [Symbol.asyncDispose]() {},
  },
})
const says = (code: string, reference?: DocumentReference, severity: RetrieveIssue['severity'] = 'error') => ({
  ...{ severity, code, text: `${code} of INI` },
  ...(reference === undefined ? {} : { uniqueId: reference.uniqueId }),
})

/** INI, which knows some documents and answers from a list, then with everything. */
function ini(known: readonly string[], ...replies: ((question: RepositoryQuestion) => RepositoryReply)[]) {
  const steps: string[] = []
  const searches = recentSearches(clock)
  const registry = {
    async query(query: { readonly type: string }, call: AuthorizedCall) {
      steps.push(query.type)
      const found = answer({ entries: known.map((name) => entry(name, { repositoryUniqueId })) })
      searches.remember(found, call)
      return found
    },
  }
  const everything = ({ references }: RepositoryQuestion): RepositoryReply => {
    return { kind: 'answer', documents: references.map(document), issues: [] }
  }
  const tools = {
    mostAtOnce: 5,
    retrieve: async (question: RepositoryQuestion) => {
      steps.push(`retrieve ${question.references.length}`)
      return (replies.shift() ?? everything)(question)
    },
  } as unknown as AdapterTools
  const options = iniOptions.parse({ base: 'https://ini.example' })
  return { steps, repository: iniRepository(url, options, tools, { registry, searches }) }
}

beforeEach(() => {
  clock.at = 1_000 * minutes
})

describe('a document is retrieved through INI', () => {
  it('after a search, which counts for a little less than 20 minutes', async () => {
    const { repository, steps } = ini(['a'])
    const call = authorized()
    await repository.retrieve([named('a')], call)
    expect(steps.splice(0)).toEqual(['FindDocuments', 'retrieve 1'])
    clock.at += 19 * minutes
    await repository.retrieve([named('a')], call)
    expect(steps.splice(0)).toEqual(['retrieve 1'])
    clock.at += 1
    await repository.retrieve([named('a')], call)
    expect(steps).toEqual(['FindDocuments', 'retrieve 1'])
  })

  it('after a search of its own asker', async () => {
    const { repository, steps } = ini(['a'])
    const call = authorized()
    await repository.retrieve([named('a')], call)
    const other = { ...call, permit: { ...call.permit, partition: 'another asker' } } as AuthorizedCall
    await repository.retrieve([named('a')], other)
    expect(steps).toEqual(['FindDocuments', 'retrieve 1', 'FindDocuments', 'retrieve 1'])
  })

  it('after another search where INI knows of none (RTW2), and only what that is about', async () => {
    const [a, b] = [named('a'), named('b')]
    const { repository, steps } = ini(['a', 'b'], () => {
      return { kind: 'answer', documents: [document(a)], issues: [says('RTW2', b, 'warning')] }
    })
    const { documents, issues } = await repository.retrieve([a, b], authorized())
    expect(documents.map(({ uniqueId }) => uniqueId)).toEqual([a.uniqueId, b.uniqueId])
    expect(issues).toEqual([])
    expect(steps).toEqual(['FindDocuments', 'retrieve 2', 'FindDocuments', 'retrieve 1'])
  })

  it('once more at most: RTW2 again is an error of its document', async () => {
    const refuses = () => ({ kind: 'answer', documents: [], issues: [says('RTW2', undefined, 'warning')] }) as const
    const { repository, steps } = ini(['a'], refuses, refuses)
    const { documents, issues } = await repository.retrieve([named('a')], authorized())
    expect(documents).toEqual([])
    expect(issues).toMatchObject([{ code: 'RTW2', severity: 'error' }])
    expect(steps.filter((step) => step.startsWith('retrieve'))).toHaveLength(2)
  })
})

describe('what INI says instead of a document', () => {
  const told = async (reply: RepositoryReply) => {
    return await ini(['a', 'b'], () => reply).repository.retrieve([named('a'), named('b')], authorized())
  }

  it('sends to our own repository with RTW1', async () => {
    const { issues } = await told({ kind: 'answer', documents: [], issues: [says('RTW1', named('a'), 'warning')] })
    expect(issues).toMatchObject([{ code: 'RTW1', severity: 'error', advice: 'own-repository' }])
  })

  it('is a warning when the region of assistance could not be told and the document came (RtRE3)', async () => {
    const [a, b] = [named('a'), named('b')]
    const issues = [says('RtRE3', a), says('RtRE3', b), says('RtRE3')]
    const heard = await told({ kind: 'answer', documents: [document(a)], issues })
    expect(heard.issues.map(({ severity }) => severity)).toEqual(['warning', 'error', 'warning'])
  })

  it('is a refusal in its own words when its policy says so in a fault, whatever side that blames', async () => {
    const issue = { severity: 'error', code: 'PFA11', text: 'Missing Consultation Consent' } as const
    await expect(told({ kind: 'fault', issue, sender: false })).rejects.toMatchObject({
      ...{ code: 'community-rejected', issues: [issue] },
    })
  })
})
