import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { workflowDraft, workflowEvents } from '../../../../src/core/federation/workflow.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import type { WorkflowStatus } from '../../../../src/core/model/workflow.ts'
import { memoryJournal } from '../../../support/push-journal.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const told: WorkflowStatus = {
  ...{ workflowInstanceId: 'w^^^^urn:ihe:iti:xdw:2013:workflowInstanceId', eventType: 'VALIDATION' },
  ...{ eventStatus: 'SUCCESS', eventDate: '2026-03-02T09:00:00Z' },
}

let count = 0
function draft(changes: Partial<WorkflowStatus> = {}, message: { digest?: string; position?: number } = {}) {
  const id = `${++count}`
  const receivedAt = Date.UTC(2026, 2, 2, 10)
  const received = { id, correlationId: correlationId(id), digest: 'ab', position: 0, receivedAt, hash, ...message }
  return workflowDraft({ ...told, ...changes }, received)
}

describe('the events of a workflow', () => {
  it('are only kept, are about nobody, and are named by their workflow alone', () => {
    const { deliverAs, patients, objects, frees, pushed } = draft()
    expect({ deliverAs, patients, frees }).toEqual({ deliverAs: undefined, patients: [], frees: [] })
    expect(objects).toEqual([`workflow:${told.workflowInstanceId}`])
    expect(pushed).toEqual({ kind: 'workflow', status: told })
  })

  it('are the same when told again, whatever is said beside, and others when they differ', () => {
    const [identity] = draft().identities
    expect(draft({ message: 'x', issuer: 'y' }).identities).toEqual([identity])
    const others: Partial<WorkflowStatus>[] = [
      { workflowInstanceId: 'v' },
      { eventType: 'PUBLICATION' },
      { eventStatus: 'BLOCKING_ERROR' },
      { eventDate: '2026-03-02T09:00:01Z' },
    ]
    for (const other of others) expect(draft(other).identities).not.toContain(identity)
    expect(draft({}, { digest: 'cd', position: 1 }).identities).toEqual([identity])
  })

  it('without a time are the same at the same place of the same message alone', () => {
    const { eventDate: _, ...undated } = told
    const identity = (message: { digest?: string; position?: number } = {}) => {
      const received = { correlationId: correlationId('u'), digest: 'ab', position: 0, receivedAt: 0, hash }
      return workflowDraft(undated, { id: `${++count}`, ...received, ...message }).identities
    }
    expect(identity()).toEqual(identity())
    expect(identity({ position: 1 })).not.toEqual(identity())
    expect(identity({ digest: 'cd' })).not.toEqual(identity())
  })

  it('stand in the order of their times, and those without where they came', async () => {
    const journal = memoryJournal()
    const { eventDate: _, ...undated } = told
    await journal.append(draft({ eventType: 'THIRD', eventDate: '2026-03-02T12:00:00Z' }))
    await journal.append(draft({ eventType: 'FIRST' }))
    await journal.append(draft({ workflowInstanceId: 'another' }))
    const received = {
      correlationId: correlationId('u'),
      digest: 'ab',
      position: 0,
      receivedAt: Date.UTC(2026, 2, 2, 11),
      hash,
    }
    await journal.append(workflowDraft({ ...undated, eventType: 'SECOND' }, { id: 'u', ...received }))
    await journal.append(draft({ eventType: 'LAST', eventDate: '2026-03-02T14:00:00+02:00' }))
    const events = await workflowEvents(told.workflowInstanceId, journal)
    expect(events.map(({ status }) => status.eventType)).toEqual(['FIRST', 'SECOND', 'THIRD', 'LAST'])
  })
})
