import { rm } from 'node:fs/promises'
import { ensureCertificates } from '../../certs-dev/make.ts'
import { clientOf, connect, connectCommunities, toolmaker } from '../../src/communities.ts'
import { loadConfig } from '../../src/config/load.ts'
import { oid } from '../../src/core/model/identifiers.ts'
import { healthRegistry } from '../../src/resilience/health.ts'
import { spool } from '../../src/spool/spool.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { loadTrustMaterial } from '../../src/trust-material.ts'
import { citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { startIni } from '../network/ini.ts'
import { startRegion } from '../network/region.ts'
import { sow } from '../network/seed.ts'
import type { Counterpart } from '../network/server.ts'
import { startSistemaTs } from '../network/sistema-ts.ts'
import { documentsOf } from '../network/sistema-ts-prescriptions.ts'
import { startTuscanRecord } from '../network/tuscan-record.ts'
import { communityInput, type PartyName, writeGatewayConfig } from '../support/gateway-config.ts'
import { sanitelKey } from '../support/sanitel-key.ts'
import { sistemaTsInput } from '../support/sistema-ts-config.ts'
import { type CommunityUnderTest, communityBehaves } from './community.suite.ts'

const seed = sow()
const clock = { now: () => Date.now() }

/** Connects one community by its adapter to its counterpart, with the gateway's own tools. */
async function underTest(
  name: PartyName,
  adapter: string,
  counterpart: Counterpart,
  options: Record<string, unknown>,
  citizen: (typeof citizens)[keyof typeof citizens],
  told: { readonly hidden: boolean },
  behind: readonly Counterpart[] = [],
): Promise<CommunityUnderTest> {
  await using opened = new AsyncDisposableStack()
  const { folder, file } = await writeGatewayConfig([
    communityInput(name, adapter, options),
    ...(name === 'tuscany' ? [] : [communityInput('tuscany', 'tuscany', { registry: 'https://localhost/unused' })]),
  ])
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  for (const one of [counterpart, ...behind]) opened.use(one)
  const config = loadConfig(file)
  const [entry] = config.federation.communities
  if (entry === undefined) throw new Error('A community must be configured')
  const material = await loadTrustMaterial(config, AbortSignal.timeout(60_000))
  const client = opened.use(clientOf(entry, config, () => material, clock))
  const documents = opened.use(spool())
  const events = createEvents(createLog({ level: 'silent' }), createMetrics())
  const community = opened.use(
    connect(
      entry,
      toolmaker(config, { clock, events, spool: documents, signer: () => material.signer })(entry, client),
      0,
    ),
  )
  const { visible, hidden } = expectations(seed, citizen, { asked: [name] })
  const running = opened.move()
  const [{ value, authority }] = citizen.identifiers
  return {
    community,
    behave: (behaviour) => counterpart.behave(behaviour),
    abandoned: () => counterpart.asked.last.filter(({ aborted }) => aborted).length,
    asked: () => counterpart.asked.total,
    patient: { value, authority: oid(authority) },
    documents: visible.length + (told.hidden ? hidden.length : 0),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

// Our own record tells the gateway also what is hidden from the doctor: hiding is the gateway's task there.
communityBehaves('tuscany by XDS.b', async () => {
  const { directory: certificates } = await ensureCertificates()
  const record = await startTuscanRecord({ certificates, seed })
  const options = { protocol: 'xds', registry: record.urls.registry }
  return underTest('tuscany', 'tuscany', record, options, citizens.tuscan, { hidden: true })
})

communityBehaves('tuscany by FHIR', async () => {
  const { directory: certificates } = await ensureCertificates()
  const record = await startTuscanRecord({ certificates, seed })
  const options = { protocol: 'fhir', fhir: record.urls.fhir }
  return underTest('tuscany', 'tuscany', record, options, citizens.tuscan, { hidden: true })
})

communityBehaves('ini', async () => {
  const { directory: certificates } = await ensureCertificates()
  const lazio = await startRegion({ certificates, seed, region: '120' })
  const ini = await startIni({ certificates, seed, registries: { '120': lazio.urls.registry } })
  const options = { base: new URL(ini.urls.search).origin }
  return underTest('ini', 'ini', ini, options, citizens.lazio, { hidden: false }, [lazio])
})

communityBehaves('region', async () => {
  const { directory: certificates } = await ensureCertificates()
  const veneto = await startRegion({ certificates, seed, region: '050' })
  const options = { query: veneto.urls.crossGatewayQuery }
  return underTest('region-050', 'region', veneto, options, citizens.lazio, { hidden: false })
})

// Its guard is part of it here: the composition of a gateway is the only place that knows how it is spoken to.
for (const list of ['elencoRicette', 'sar'] as const) {
  communityBehaves(
    `sistema-ts by ${list}`,
    async () => {
      const { directory: certificates } = await ensureCertificates()
      await using opened = new AsyncDisposableStack()
      const sistemaTs = opened.use(await startSistemaTs({ certificates, seed, encryption: await sanitelKey() }))
      const { community: entry } = opened.use(
        await sistemaTsInput(sistemaTs, 'region', { options: { list }, guard: { minimumCalls: 10_000 } }),
      )
      const own = communityInput('tuscany', 'tuscany', { registry: 'https://localhost/unused' })
      const { folder, file } = await writeGatewayConfig([entry, own])
      opened.defer(() => rm(folder, { recursive: true, force: true }))
      const config = loadConfig(file)
      const material = await loadTrustMaterial(config, AbortSignal.timeout(60_000))
      const events = createEvents(createLog({ level: 'silent' }), createMetrics())
      const documents = opened.use(spool())
      const { communities } = connectCommunities(config, {
        ...{ clock, events, health: healthRegistry(), opened, spool: documents },
        material: () => material,
      })
      const [community] = communities
      if (community === undefined) throw new Error('A community must be connected')
      const [{ value, authority }] = citizens.tuscan.identifiers
      const told = sistemaTs.prescriptionsOf({ value, authority }).filter(({ state }) => state !== '4')
      const running = opened.move()
      return {
        community,
        behave: (behaviour) => sistemaTs.behave(behaviour),
        abandoned: () => sistemaTs.asked.last.filter(({ aborted }) => aborted).length,
        asked: () => sistemaTs.asked.total,
        patient: { value, authority: oid(authority) },
        // A region's list says nothing of what was dispensed.
        documents: told.flatMap(documentsOf).filter((id) => list === 'elencoRicette' || id.includes('_PRE')).length,
        filter: { kinds: ['on-demand'] },
        [Symbol.asyncDispose]: () => running.disposeAsync(),
      }
    },
    list === 'sar' ? { partial: 'one answer tells everything or nothing' } : {},
  )
}
