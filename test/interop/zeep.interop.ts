import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import { formatCx } from '../../src/wire/hl7/cx.ts'
import { citizens } from '../network/citizens.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { describeWith, python, zeep } from '../support/xml-signers.ts'

const run = promisify(execFile)

let network: Network
beforeAll(async () => {
  network = await startNetwork()
  await network.parties['region-150'].behave('down')
})
afterAll(() => network[Symbol.asyncDispose]())

interface Told {
  readonly status: string
  readonly entries: readonly { readonly uniqueId: string; readonly home: string }[]
  readonly errors: readonly { readonly code: string; readonly location: string }[]
}

async function askByZeep(as: string, wsdl: string, patient: string, assertion: string): Promise<Told> {
  const file = (name: string) => join(network.certificates, as, name)
  const child = run(python, [
    join(import.meta.dirname, 'zeep_query.py'),
    ...['--wsdl', `${wsdl}?wsdl`, '--ca', join(network.certificates, 'ca.pem')],
    ...['--cert', file('tls.crt.pem'), '--key', file('tls.key.pem')],
    ...[
      '--patient',
      patient,
      '--assertion',
      '-',
      '--action-name',
      as === 'portal' ? 'RegistryStoredQuery' : 'CrossGatewayQuery',
    ],
  ])
  child.child.stdin?.end(assertion)
  return JSON.parse((await child).stdout) as Told
}

describeWith(zeep, 'a SOAP client nobody here wrote (zeep, from the served WSDL)', () => {
  it.each([
    ['portal', 'lazio'],
    ['region-050', 'tuscan'],
  ] as const)('gets the same index as %s over mutual TLS', async (as, key) => {
    const identity = identityOf(as, network.certificates)
    const patient = patientId(citizens[key].identifiers[0].value, authorities.codiceFiscale)
    const wishes = { patient, role: 'AAS', purpose: 'TREATMENT', action: 'READ', types: [], lifetimeSeconds: 120 }
    const door = as === 'portal' ? network.gateway.iti18 : network.gateway.iti38
    const told = await askByZeep(as, door, formatCx(patient), await assertionOf(identity, wishes))
    const ours = await ask(
      identity,
      network.gateway,
      { type: 'FindDocuments', patientId: patient, status: ['approved'], filter: {}, extra: [] },
      await assertionOf(identity, wishes),
    )
    const pair = ({ uniqueId, home }: { uniqueId: string; home?: string }) => `${uniqueId} ${home}`
    expect(told.entries.length).toBeGreaterThan(20)
    expect(told.entries.map(pair).sort()).toEqual(ours.entries.map(pair).sort())
    const errors = ours.issues.filter(({ severity }) => severity === 'error')
    expect(told.errors.filter(({ location }) => location).map(({ code, location }) => `${code} ${location}`)).toEqual(
      expect.arrayContaining(errors.map(({ code, location }) => `${code} ${location}`)),
    )
  })
})
