import { beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import type { MetadataChange } from '../../../src/core/model/change.ts'
import { type PushDelivererParts, pushDeliverer } from '../../../src/journal/push-deliverer.ts'
import { assertion, citizen, community, stoppedClock } from '../../support/builders.ts'
import { draftOf } from '../../support/operating.ts'
import { type MemoryJournal, memoryJournal } from '../../support/push-journal.ts'
import { validSubmit } from '../../support/submissions.ts'

const change = validSubmit()
const delivery = (id: string) => ({
  ...{ id, kind: 'push:tuscany', key: id, content: id, putAt: 0, attempts: 1, nextAt: 0 },
  state: 'waiting' as const,
})
const { signal } = new AbortController()

let journal: MemoryJournal
let accepted: { readonly to: string; readonly change: MetadataChange; readonly call: AuthorizedCall }[]

beforeEach(() => {
  journal = memoryJournal()
  accepted = []
})

const telling = (name: string, accept?: () => Promise<void>) =>
  community({
    name,
    recipient: {
      async accept(change, call) {
        await accept?.()
        accepted.push({ to: name, change, call })
      },
    },
  })

const deliverer = (more: Partial<PushDelivererParts> = {}) =>
  pushDeliverer({
    ...{ journal, to: telling('tuscany'), clock: stoppedClock, timeoutMs: 1_000 },
    ourselves: () => assertion({ subject: 'us' }),
    ...more,
  })

const pushed = { kind: 'change', change, assertion: assertion({ subject: 'CLNCXX75C03F839M' }) } as const
const draft = (id: string, more = {}) =>
  draftOf(id, { pushed, objects: ['a', 'b'], followedBy: 'publish:ini', ...more })

describe('a push that is followed by another delivery', () => {
  it('is told on once its recipient has it, in the order of the same documents, and about nobody in our index', async () => {
    await journal.append(draft('p'))
    await deliverer()(delivery('p'), signal)
    expect(accepted).toMatchObject([{ to: 'tuscany', change, call: { assertion: pushed.assertion } }])
    expect(journal.pushes.slice(1)).toMatchObject([
      {
        ...{ id: 'p:publish:ini', state: 'pending', transaction: 'ITI-42', correlationId: 'c-p', pushed },
        ...{ patients: [], objects: ['publish:ini a', 'publish:ini b'] },
      },
    ])
    expect(journal.pushes[1]).not.toHaveProperty('followedBy')
    expect((await journal.about([citizen], 0)).pushes).toHaveLength(1)
  })

  it('is told on once, however often it is delivered', async () => {
    await journal.append(draft('p'))
    await deliverer()(delivery('p'), signal)
    await deliverer()(delivery('p'), signal)
    expect(journal.pushes).toHaveLength(2)
  })

  it('is not told on before its recipient has it', async () => {
    await journal.append(draft('p'))
    const refusing = telling('tuscany', async () => {
      throw new GatewayError('community-unavailable', 'down')
    })
    await expect(deliverer({ to: refusing })(delivery('p'), signal)).rejects.toThrow('down')
    expect(journal.pushes).toHaveLength(1)
  })

  it('is not told on when its recipient is the last to be told', async () => {
    await journal.append(draft('p'))
    await deliverer({ isLast: async ({ patients: [patient] }) => patient?.value === citizen.value })(
      delivery('p'),
      signal,
    )
    expect(journal.pushes).toHaveLength(1)
  })

  it('goes no further than there', async () => {
    await journal.append(draft('p'))
    await deliverer()(delivery('p'), signal)
    await deliverer({ to: telling('ini') })(delivery('p:publish:ini'), signal)
    expect(accepted.map(({ to }) => to)).toEqual(['tuscany', 'ini'])
    expect(accepted[1]).toMatchObject({ change, call: { assertion: pushed.assertion } })
    expect(journal.pushes).toHaveLength(2)
  })
})

it('any other push is told to its recipient alone', async () => {
  await journal.append(draftOf('p', { pushed }))
  await deliverer()(delivery('p'), signal)
  expect(accepted).toHaveLength(1)
  expect(journal.pushes).toHaveLength(1)
})

it('a push that was given up is told to nobody', async () => {
  await journal.append(draft('p'))
  await journal.discard('p', 'wrong')
  await deliverer()(delivery('p'), signal)
  expect(accepted).toEqual([])
  expect(journal.pushes).toHaveLength(1)
})
