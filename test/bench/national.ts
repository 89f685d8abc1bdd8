import { randomUUID } from 'node:crypto'
import { questionOf } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import { paths } from '../../src/gateway.ts'
import { nationalPaths } from '../../src/national.ts'
import { actions } from '../../src/wire/actions.ts'
import { encodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { citizen } from '../support/builders.ts'
import { certificates, communityInput, writeGatewayConfig } from '../support/gateway-config.ts'
import { membership, validEntry, validSubmissionSet } from '../support/submissions.ts'
import type { Measurement } from './measurement.ts'
import { perCore } from './per-core.ts'

/** Signed questions per second of processor time, each answered with 10 entries of the record. */
export function iti18Signed(): Promise<Measurement> {
  const identity = identityOf('portal', certificates)
  return perCore({
    bench: 'iti18-signed',
    identity,
    configure,
    message: async (origin) => {
      const patient = patientId('PROVAX00X00X000Y', authorities.codiceFiscale)
      const query = { type: 'FindDocuments', patientId: patient, status: ['approved'], filter: {}, extra: [] } as const
      const assertion = await assertionOf(identity, {
        ...{ patient, role: 'AAS', purpose: 'TREATMENT', action: 'READ', types: [], lifetimeSeconds: 600 },
      })
      const doors = { iti18: origin + paths.iti18, iti38: origin + paths.iti38 }
      return { ...questionOf(identity, doors, query, assertion), told: '<rim:ExtrinsicObject', times: 10 }
    },
  })
}

/** Signed pushes per second of processor time, each durable before it is acknowledged. */
export function iti42Push(): Promise<Measurement> {
  const identity = identityOf('ini', certificates)
  let number = 0
  return perCore({
    bench: 'iti42-push',
    identity,
    configure,
    message: async (origin) => {
      const assertion = await assertionOf(identity, {
        ...{ patient: citizen, role: 'AAS', purpose: 'TREATMENT', action: 'CREATE', types: [], lifetimeSeconds: 600 },
      })
      const url = origin + nationalPaths.registry
      const entry = { ...validEntry(), uniqueId: `2.16.840.1.113883.2.9.2.50.4.4^BENCH${++number}` }
      const set = validSubmissionSet()
      const members = [membership(set.entryUuid, entry.entryUuid)]
      const body = encodeSubmitObjects({ submissionSet: set, entries: [entry], folders: [], associations: members })
      const messageId = `urn:uuid:${randomUUID()}`
      const action = actions.registerDocumentSet
      return {
        ...{ url, method: 'POST' as const, headers: { 'content-type': 'application/soap+xml; charset=utf-8' } },
        body: encodeEnvelope({ action, messageId, to: url, anonymousReply: true, assertion }, body),
        ...{ signal: AbortSignal.timeout(600_000), idempotent: true, told: 'ResponseStatusType:Success', times: 1 },
      }
    },
  })
}

function configure(record: string) {
  const endpoint = `${record}/`
  return writeGatewayConfig([
    communityInput('tuscany', 'tuscany', { protocol: 'xds', registry: endpoint, register: endpoint }),
    communityInput('ini', 'ini', { base: record }),
  ])
}
