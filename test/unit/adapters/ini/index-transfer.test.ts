import { beforeEach, describe, expect, it } from 'vitest'
import { iniIndexTransfer } from '../../../../adapters/ini/index-transfer.ts'
import { type IniOptions, iniOptions } from '../../../../adapters/ini/options.ts'
import type {
  RegistryQuestion,
  RegistryReply,
  RegistrySubmission,
  SubmissionReply,
} from '../../../../src/config/adapter.ts'
import type { Issue } from '../../../../src/core/errors.ts'
import { decodeRemoveObjects } from '../../../../src/wire/ebrim/submit-objects.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { answer, authorized, citizen, entry, issue } from '../../../support/builders.ts'

const base = 'https://ini.example'
const search = `${base}/FSERegistryIndexTransferWeb/DocumentRegistry_Service`
const removal = `${base}/FSERegistryIndexTransferWeb/XDSDeletetWSService`
const transfer = { transferId: 'urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301', patientId: citizen }
const claims = { role: 'NOR', purposeOfUse: 'SYSADMIN', indexTransferId: transfer.transferId, patientId: citizen }
const success: SubmissionReply = { kind: 'answer', status: 'success', issues: [] }
const failed = (code: string, text = 'said'): RegistryReply & SubmissionReply => {
  const issues: readonly Issue[] = [{ ...issue(code), text }]
  return { kind: 'answer', status: 'failure', answer: answer({ issues }), issues }
}
const refused: RegistryReply & SubmissionReply = {
  ...{ kind: 'fault', sender: false },
  issue: issue('PFA14'),
}
const references = (...names: readonly string[]): RegistryReply => {
  return { kind: 'answer', status: 'success', answer: answer({ references: names.map((id) => ({ id })) }) }
}
const rejected = (code: string, text?: string) =>
  expect.objectContaining({
    code,
    ...(text === undefined ? {} : { issues: [expect.objectContaining({ text: expect.stringContaining(text) })] }),
  })

let asked: RegistryQuestion[]
let told: RegistrySubmission[]
let replies: RegistryReply[]
let outcomes: SubmissionReply[]
beforeEach(() => {
  asked = []
  told = []
  replies = []
  outcomes = []
})

function source(options: Partial<IniOptions> = {}) {
  return iniIndexTransfer(iniOptions.parse({ base, ...options }), {
    async ask(question) {
      asked.push(question)
      return replies.shift() ?? failed('QND1')
    },
    async submit(submission) {
      told.push(submission)
      return outcomes.shift() ?? success
    },
  })
}

const list = () => source().list(transfer, authorized())
const read = (ids: readonly string[]) => source().read(ids, transfer, authorized())
const remove = (ids: readonly string[]) => source().remove(ids, transfer, authorized())
const idsIn = ({ body }: RegistrySubmission) => {
  const tree = readTree(Buffer.from(body))
  return decodeRemoveObjects(tree, tree.root)
}

describe('the index at the former region', () => {
  it('is searched whole at the address for transfers, in their role, under the transfer’s id', async () => {
    replies = [references('urn:uuid:1', 'urn:uuid:2', 'urn:uuid:1')]
    expect(await list()).toEqual(['urn:uuid:1', 'urn:uuid:2'])
    expect(asked).toMatchObject([{ url: search, returnType: 'ObjectRef', ...claims }])
    expect(asked[0]?.query).toMatchObject({ type: 'FindDocuments', status: ['approved', 'deprecated'], filter: {} })
  })

  it('is empty when INI has nothing (QND1)', async () => {
    expect(await list()).toEqual([])
    expect(await read(['urn:uuid:1'])).toEqual([])
  })

  it('is read by ids, and nothing is taken that was not asked for', async () => {
    replies = [{ kind: 'answer', status: 'success', answer: answer({ entries: [entry('1'), entry('9')] }) }]
    expect(await read(['urn:uuid:1', 'urn:uuid:2'])).toEqual([entry('1')])
    expect(asked).toMatchObject([{ url: search, returnType: 'LeafClass', ...claims }])
    expect(asked[0]?.query).toMatchObject({ documents: { by: 'entry-uuid', ids: ['urn:uuid:1', 'urn:uuid:2'] } })
  })

  it.each([
    ['PFA14, which stays whatever is tried', refused, 'community-rejected', undefined],
    [
      'an unknown former region',
      failed('XDSRegistryError', 'RPDA non individuata per servizio trasferimento indice'),
      'community-rejected',
      'RPDA non individuata',
    ],
    ['QND2: INI says that it is ours', failed('QND2'), 'community-rejected', undefined],
    ['CRF2', failed('CRF2'), 'community-rejected', undefined],
    ['CRF1, which may pass', failed('CRF1'), 'community-unavailable', undefined],
    ['INI’s own trouble', failed('XDSRegistryError', 'Internal Error 1011'), 'community-unavailable', undefined],
  ] as const)('is not moved on %s', async (_, reply, code, text) => {
    replies = [reply, reply]
    await expect(list()).rejects.toEqual(rejected(code, text))
    await expect(read(['urn:uuid:1'])).rejects.toEqual(rejected(code, text))
    outcomes = [reply]
    await expect(remove(['urn:uuid:1'])).rejects.toEqual(rejected(code, text))
  })

  it('is removed at its own address', async () => {
    await remove(['urn:uuid:1', 'urn:uuid:2'])
    expect(told).toMatchObject([{ url: removal, does: 'DELETE', ...claims }])
    expect(told.map(idsIn)).toEqual([['urn:uuid:1', 'urn:uuid:2']])
  })

  it.each(['UnresolvedReferenceException', 'QND1'])('is removed already where it is not there (%s)', async (code) => {
    outcomes = [failed(code)]
    await remove(['urn:uuid:1', 'urn:uuid:2'])
    expect(told).toHaveLength(1)
  })

  it('is removed as far as it is still there', async () => {
    outcomes = [failed('UnresolvedReferenceException')]
    replies = [references('urn:uuid:2')]
    await remove(['urn:uuid:1', 'urn:uuid:2'])
    expect(told.map(idsIn)).toEqual([['urn:uuid:1', 'urn:uuid:2'], ['urn:uuid:2']])
  })

  it('is not removed where all is there and INI knows none of it', async () => {
    outcomes = [failed('UnresolvedReferenceException')]
    replies = [references('urn:uuid:1')]
    await expect(remove(['urn:uuid:1'])).rejects.toEqual(rejected('community-rejected'))
  })
})
