import { expect, it, vi } from 'vitest'
import { checkConfig } from '../../src/config/load.ts'
import type { Community, KnownPatient } from '../../src/core/ports.ts'
import { deliveries } from '../../src/deliveries.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { modelOutbox } from '../conformance/outbox-model.ts'
import { assertion, community, homes, known, stoppedClock } from '../support/builders.ts'
import { draftOf } from '../support/operating.ts'
import { memoryJournal } from '../support/push-journal.ts'
import { validSubmit } from '../support/submissions.ts'

const pair = { certificate: 'c.pem', key: 'k.pem' }
const listen = { host: '127.0.0.1', port: 0 }
const federation = checkConfig({
  gateway: {
    ...{ home: homes.tuscany, organization: { code: '090', name: 'Regione Toscana' }, listen, operator: listen },
    ...{ identity: { tls: pair, signing: pair }, application: { id: 'a', vendor: 'v', version: '1' } },
    store: { path: 'store.sqlite' },
  },
  communities: [
    {
      ...{ home: homes.tuscany, name: 'tuscany', adapter: 'region' },
      ...{ options: { query: 'https://x.example/' }, trust: { tls: ['ca.pem'] } },
    },
  ],
})
const unread = () => {
  throw new Error('Nothing is read')
}

/** Whether a producer's push that our record took is told on, by what our own index knows and by what is known in all. */
async function isToldOn(index: KnownPatient | undefined, inAll: KnownPatient | undefined): Promise<boolean> {
  const knowing = (patient: KnownPatient | undefined): Pick<Community, 'patients'> => ({
    patients: { locate: async () => patient },
  })
  const raw = community({ name: 'tuscany', home: homes.tuscany, relation: 'own', recipient: { async accept() {} } })
  const journal = memoryJournal()
  const outbox = modelOutbox(stoppedClock)
  const pushed = { kind: 'change', change: validSubmit(), assertion: assertion() } as const
  await journal.append(draftOf('p', { pushed, followedBy: 'publish:ini' }))
  await outbox.put({ id: 'd', kind: 'push:tuscany', key: 'k', content: 'p' })
  const parts = {
    ...{ communities: [{ ...raw, ...knowing(index) }], own: { ...raw, ...knowing(inAll) } },
    ...{ outbox, journal, clock: stoppedClock },
    events: createEvents(createLog({ level: 'error' }), createMetrics({ process: false })),
  }
  await using _ = deliveries({ federation, read: unread, bytes: unread, locate: unread }, parts)
  await vi.waitUntil(async () => (await outbox.list({ limit: 10 })).length === 0)
  return journal.pushes.length > 1
}

it.each([
  ['is told on about somebody whom another region assists', known({ assistedBy: homes.lazio }), true],
  ['is told on about whom nobody knows', undefined, true],
  ['ends with our record about whom we assist', known({ assistedBy: homes.tuscany }), false],
  [
    'is told on about whom we are thought to assist while that is in doubt',
    known({ assistedBy: homes.tuscany, doubt: { severity: 'warning', code: 'XDSRegistryError', text: 'doubt' } }),
    true,
  ],
])('a push %s', async (_what, patient, expected) => {
  expect(await isToldOn(patient, patient)).toBe(expected)
})

it('a push ends with our record when the registry of citizens alone knows that we assist the patient', async () => {
  expect(await isToldOn(undefined, known({ assistedBy: homes.tuscany }))).toBe(false)
})
