import { randomUUID } from 'node:crypto'
import type { QueryAnswer } from '../core/model/answers.ts'
import type { StoredQuery } from '../core/model/stored-query.ts'
import { nationalPaths } from '../national.ts'
import { actions } from '../wire/actions.ts'
import { encodeRemoveObjects } from '../wire/ebrim/submit-objects.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { commandOf, verbOf } from './arguments.ts'
import { type Caller, type Claims, callerOf, callerOptions, voiceOptions } from './caller.ts'
import { CliError } from './exit.ts'
import { askAs } from './look-up.ts'
import { type Step, shown } from './step.ts'
import { changeAnswer } from './told.ts'

const options = {
  ...callerOptions,
  ...voiceOptions,
  chunk: { type: 'string', default: '50' },
  keep: { type: 'boolean', default: false },
  'transfer-id': { type: 'string' },
} as const

const parsed = (args: readonly string[]) => commandOf(args, options)

/** What is the same in every message of one transfer. */
interface Transfer {
  readonly caller: Caller
  readonly claims: (action: string) => Claims
  readonly chunk: number
  readonly removes: boolean
}

/** `transfer`: reads somebody's index as their new region of assistance does, and removes what it has (ini.md §7.1). Throws CliError. */
export async function transfer(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args)
  const verb = verbOf('transfer', positionals, ['search', 'run'])
  if (!/^[1-9]\d{0,4}$/.test(values.chunk)) throw new CliError('usage', '--chunk must be a number from 1')
  await using caller = callerOf(values, '120')
  const { role = 'NOR', purpose = 'SYSADMIN', 'transfer-id': indexTransferId = `urn:uuid:${randomUUID()}` } = values
  const moving: Transfer = {
    ...{ caller, chunk: Number(values.chunk), removes: !values.keep },
    claims: (action) => ({ role, purpose, action: values.action ?? action, indexTransferId }),
  }
  const { step, ids } = await searched(moving, indexTransferId)
  if (verb === 'search') return await shown([step], { ...values, lists: true })
  return await shown([step, ...(await moved(ids, moving))], values)
}

async function searched({ caller, claims }: Transfer, transferId: string) {
  const query: StoredQuery = {
    ...{ type: 'FindDocuments', patientId: caller.patient, status: ['approved', 'deprecated'], filter: {}, extra: [] },
  }
  const { step, found } = await askAs(caller, query, {
    ...{ what: 'search everything (ITI-18)', path: nationalPaths.transferSearch, claims: claims('READ') },
    ...{ returnType: 'ObjectRef', sent: { transfer: transferId, patient: formatCx(caller.patient) } },
  })
  const ids = [...new Set((found?.references ?? []).map(({ id }) => id))]
  return { step: { ...step, listed: ids }, ids }
}

/** Chunk by chunk, until one is not answered as it should be. */
async function moved(ids: readonly string[], moving: Transfer): Promise<readonly Step[]> {
  const steps: Step[] = []
  const chunks = Math.ceil(ids.length / moving.chunk)
  for (let at = 0; at < ids.length; at += moving.chunk) {
    const name = `chunk ${at / moving.chunk + 1} of ${chunks}`
    const { step, found } = await read(ids.slice(at, at + moving.chunk), name, moving)
    steps.push(step)
    if (step.told.status !== 'success') break
    if (!moving.removes || found === undefined || found.entries.length === 0) continue
    const removal = await removed(found, name, moving)
    steps.push(removal)
    if (removal.told.status !== 'success') break
  }
  return steps
}

async function read(ids: readonly string[], name: string, { caller, claims }: Transfer) {
  const query: StoredQuery = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids }, extra: [] }
  const { step, found } = await askAs(caller, query, {
    ...{ what: `read ${name} (ITI-18)`, path: nationalPaths.transferSearch, claims: claims('READ') },
    sent: { ids: String(ids.length) },
  })
  return { step: { ...step, listed: (found?.entries ?? []).map(({ uniqueId }) => uniqueId) }, found }
}

async function removed({ entries }: QueryAnswer, name: string, { caller, claims }: Transfer): Promise<Step> {
  const ids = entries.map(({ entryUuid }) => entryUuid)
  const exchange = await caller.say({
    ...{ path: nationalPaths.transferRemove, action: actions.deleteDocumentSet, claims: claims('DELETE') },
    body: encodeRemoveObjects(ids),
  })
  const told = changeAnswer(exchange)
  return { what: `remove ${name} (ITI-62)`, exchange, sent: { ids: String(ids.length) }, told }
}
