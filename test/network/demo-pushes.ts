import { ask, type Reply } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { oid } from '../../src/core/model/identifiers.ts'
import { type PatientId, patientId } from '../../src/core/model/patient.ts'
import type { FindDocuments } from '../../src/core/model/stored-query.ts'
import { homeOf } from '../support/gateway-config.ts'
import type { Network } from './network.ts'

/** What was seen of one step. */
export interface Seen {
  readonly step: string
  /** Milliseconds it took, where that is worth telling. */
  readonly ms?: number
  readonly lines: readonly string[]
}

/** Longer than a delivery is held back that was under way when the gateway was killed. */
const patienceMs = 40_000

/** What the demo says must be so: throws otherwise, and the demo fails. */
export function must(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(`This should have been, and was not: ${what}`)
}

/** A question of the Tuscan portal for a hospital doctor, or for the person themselves. */
export async function asked(network: Network, patient: PatientId, role: 'AAS' | 'ASS' = 'AAS'): Promise<Reply> {
  const portal = identityOf('portal', network.certificates)
  const query: FindDocuments = {
    type: 'FindDocuments',
    patientId: patient,
    status: ['approved'],
    filter: {},
    extra: [],
  }
  const assertion = await assertionOf(portal, {
    ...{ patient, role, purpose: role === 'ASS' ? 'PERSONAL' : 'TREATMENT', action: 'READ' },
    ...{ types: [], lifetimeSeconds: 300 },
  })
  return await ask(portal, network.gateway, query, assertion)
}

/** Whether a community is named as missing. */
export function misses(reply: Reply, name: Parameters<typeof homeOf>[0]): boolean {
  return reply.issues.some(({ severity, location }) => severity === 'error' && location === homeOf(name))
}

/**
 * INI communicates a document while the Tuscan record is down, the gateway is killed, the record comes up again, the
 * document is hidden. Each step is told when it has been seen; throws when one is not as it should be.
 */
export async function* pushes(network: Network): AsyncGenerator<Seen> {
  const { ini, record } = network
  const { process: gateway } = network.gateway
  must(gateway !== undefined, 'a gateway that is a process of its own')
  // It cites no prescription: whoever does is shown only while the record tells that the prescription is not hidden.
  const document = ini.push.document({ change: { references: [] } })
  const { uniqueId, title } = document
  const patient = patientId(document.patient.value, oid(document.patient.authority))
  const finds = ({ entries }: Reply): boolean => entries.some((entry) => entry.uniqueId === uniqueId)
  const doctor = () => asked(network, patient)

  await record.behave('down')
  const created = await timed(() => ini.push.create(document))
  must(created.result.status === 'Success', 'the document INI communicates is taken')
  const meanwhile = await doctor()
  must(misses(meanwhile, 'tuscany') && finds(meanwhile), 'the document in the index without the Tuscan record')
  yield {
    step: `The Tuscan record is down. INI communicates to the gateway a document of Veneto (ITI-42): ${title}.`,
    ms: created.ms,
    lines: [
      `answered Success in ${created.ms} ms: it is in the gateway's journal`,
      `a doctor asks: it is in the index, with ${meanwhile.entries.length - 1} others; the Tuscan record is missing`,
    ],
  }

  const { pid } = gateway
  await gateway.kill()
  const restarted = await timed(() => gateway.restart())
  const again = await doctor()
  must(misses(again, 'tuscany') && finds(again), 'the document in the index after the kill')
  yield {
    step: `kill -9 of the gateway (process ${pid}), which is started again from the same store (process ${gateway.pid}).`,
    ms: restarted.ms,
    lines: [`ready after ${restarted.ms} ms`, 'a doctor asks: it is in the index still; the Tuscan record is missing'],
  }

  await record.behave('normal')
  const delivered = await timed(() => {
    return record.registered.until((one) => one.uniqueId === uniqueId, AbortSignal.timeout(patienceMs))
  })
  const { by, version } = delivered.result
  must(finds(await doctor()), 'the document in the index after its delivery')
  yield {
    step: 'The Tuscan record is up again.',
    ms: delivered.ms,
    lines: [
      `the gateway delivers the document to it after ${delivered.ms} ms (${by}, version ${version})`,
      'a doctor asks: it is in the index',
    ],
  }

  const hidden = await timed(() => ini.push.notifyHiding({ patient: document.patient, document: uniqueId }))
  must(hidden.result.status === 'Success', 'the hiding is taken')
  const afterwards = await doctor()
  must(!finds(afterwards) && afterwards.entries.length > 0, 'a doctor is not told of a hidden document')
  must(finds(await asked(network, patient, 'ASS')), 'the citizen is told of a hidden document')
  const carried = await record.registered.until((one) => one.uniqueId === uniqueId && one.change === 'update')
  must(
    carried.entry.events.some(({ code }) => code === 'P99'),
    'the document hidden in the Tuscan record',
  )
  must(!finds(await doctor()), 'the document hidden still')
  yield {
    step: 'INI tells that the document is to be hidden (NotifyHiding).',
    ms: hidden.ms,
    lines: [
      `answered Success in ${hidden.ms} ms`,
      'a doctor asks at once: it is not there',
      'the citizen asks: it is there',
      `the gateway carries the hiding to the Tuscan record (${carried.by}, version ${carried.version}, P99)`,
    ],
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const started = performance.now()
  const result = await work()
  return { result, ms: Math.round(performance.now() - started) }
}
