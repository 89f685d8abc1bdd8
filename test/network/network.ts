import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureCertificates } from '../../certs-dev/make.ts'
import { loadConfig } from '../../src/config/load.ts'
import { paths, startGateway } from '../../src/gateway.ts'
import {
  communityInput,
  type FederationInput,
  homeOf,
  type PartyName,
  writeGatewayConfig,
} from '../support/gateway-config.ts'
import { sanitelKey } from '../support/sanitel-key.ts'
import { type SistemaTsChanges, sistemaTsInput } from '../support/sistema-ts-config.ts'
import { type Control, startControl } from './control.ts'
import { type FseGateway, fseGateway } from './fse-gateway.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts'
import { type Ini, type IniOptions, startIni } from './ini.ts'
import type { IniPushes } from './ini-driver.ts'
import { iniPushes } from './ini-pushes.ts'
import { type Region, type RegionOptions, startRegion } from './region.ts'
import { type Seed, sow } from './seed.ts'
import type { Clock, Counterpart } from './server.ts'
import { type SistemaTs, type SistemaTsOptions, startSistemaTs } from './sistema-ts.ts'
import { startTuscanRecord, type TuscanRecord, type TuscanRecordOptions } from './tuscan-record.ts'

export interface NetworkOptions {
  /** Which face of the Tuscan record the gateway asks; default XDS.b. */
  readonly protocol?: 'xds' | 'fhir'
  /** What differs from the usual configuration of the gateway. */
  readonly gateway?: Partial<FederationInput['gateway']>
  /** What differs for a community, by its name. */
  readonly communities?: Partial<Record<PartyName, Partial<FederationInput['communities'][number]>>>
  /** What differs from the usual of a counterpart. */
  readonly counterparts?: {
    readonly tuscany?: Partial<TuscanRecordOptions>
    readonly ini?: Partial<IniOptions>
  } & Partial<Record<'region-050' | 'region-120' | 'region-150', Partial<RegionOptions>>>
  /** How many documents of an index are moved by one request; default 50. */
  readonly transferChunk?: number
  /** Regions that hand nothing out to the gateway itself, so that their documents come through INI. */
  readonly throughIni?: readonly ('region-050' | 'region-120' | 'region-150')[]
  /** Sistema TS is there too, and asked; by default nobody speaks to it. */
  readonly sistemaTs?: Partial<SistemaTsOptions> & {
    /** What differs from the usual of its community in the gateway's configuration. */
    readonly community?: SistemaTsChanges
  }
  /** The time of everybody; by default the system's. */
  readonly clock?: Clock
  /** The gateway is a process of its own, which can be killed. It has the system's time. */
  readonly process?: true
  /** Fixed ports; any free one by default. */
  readonly ports?: { readonly gateway?: number; readonly operator?: number; readonly control?: number }
}

/** The whole development federation on loopback: the gateway, and its counterparts over real mutual TLS. */
export interface Network extends AsyncDisposable {
  readonly seed: Seed
  readonly certificates: string
  readonly record: TuscanRecord
  readonly ini: Ini & {
    /** INI calling the gateway. */
    readonly push: IniPushes
  }
  /** The national FSE 2.0 gateway calling back. */
  readonly fseGateway: FseGateway
  readonly regions: Readonly<Record<'region-050' | 'region-120' | 'region-150', Region>>
  readonly parties: Readonly<Record<PartyName, Counterpart>>
  /** Where it was started. */
  readonly sistemaTs?: SistemaTs
  readonly control: Control
  readonly gateway: {
    readonly iti18: string
    readonly iti38: string
    readonly iti43: string
    /** At the same address as ITI-38. */
    readonly iti39: string
    readonly operator: string
    /** The configuration it was started from. */
    readonly config: string
    readonly store: string
    /** Where it was started as one. */
    readonly process?: GatewayProcess
  }
}

/** Starts everything; nothing is left behind when it fails half-way. */
export async function startNetwork(options: NetworkOptions = {}): Promise<Network> {
  const { directory: certificates } = await ensureCertificates()
  await using opened = new AsyncDisposableStack()
  const seed = sow()
  const { clock, counterparts = {} } = options
  if (options.process && clock !== undefined) throw new Error('A gateway that is a process has no clock but its own')
  const common = { certificates, seed, ...(clock && { clock }) }
  const region = async (code: RegionOptions['region']) =>
    opened.use(await startRegion({ ...common, region: code, ...counterparts[`region-${code}`] }))
  const regions = {
    'region-050': await region('050'),
    'region-120': await region('120'),
    'region-150': await region('150'),
  }
  const record = opened.use(await startTuscanRecord({ ...common, ...counterparts.tuscany }))
  const ini = opened.use(
    await startIni({
      ...common,
      registries: {
        '050': regions['region-050'].urls.registry,
        '120': regions['region-120'].urls.registry,
        '150': regions['region-150'].urls.registry,
      },
      changes: Object.fromEntries(
        (['050', '120', '150'] as const).map((code) => [code, regions[`region-${code}`].urls]),
      ),
      ...counterparts.ini,
    }),
  )
  const parties = { tuscany: record, ini, ...regions }
  const { community: tsChanges, ...tsOptions } = options.sistemaTs ?? {}
  const sistemaTs =
    options.sistemaTs &&
    opened.use(await startSistemaTs({ ...common, encryption: await sanitelKey(clock?.now()), ...tsOptions }))
  const ofSistemaTs = sistemaTs && opened.use(await sistemaTsInput(sistemaTs, tsOptions.as ?? 'region', tsChanges))
  const controlled = { ...parties, ...(sistemaTs && { 'sistema-ts': sistemaTs }) }
  const control = opened.use(await startControl(controlled, options.ports?.control ?? 0))
  // INI says beside what it forwards who the person is.
  const identification = { anchors: [join(certificates, 'signing-ca.pem')], signers: ['^S[0-9]+#000#'] }
  const ofAna = { identification }
  const tailored = (name: PartyName, adapter: string, own: Record<string, unknown>) =>
    communityInput(name, adapter, own, { ...(name === 'ini' && { trust: ofAna }), ...options.communities?.[name] })
  const ofRegion = (name: keyof typeof regions) => {
    const { crossGatewayQuery, crossGatewayRetrieve } = regions[name].urls
    const direct = options.throughIni?.includes(name) !== true
    return tailored(name, 'region', { query: crossGatewayQuery, ...(direct && { retrieve: crossGatewayRetrieve }) })
  }
  const { folder, file } = await writeGatewayConfig(
    [
      tailored('tuscany', 'tuscany', {
        protocol: options.protocol ?? 'xds',
        registry: record.urls.registry,
        repository: record.urls.repository,
        fhir: record.urls.fhir,
        patients: true,
        ...(options.protocol === 'fhir'
          ? { transactions: true }
          : { register: record.urls.register, update: record.urls.update, delete: record.urls.delete }),
      }),
      tailored('ini', 'ini', {
        base: new URL(ini.urls.search).origin,
        publish: true,
        indexTransfer: true,
        ...(options.transferChunk !== undefined && { transferChunk: options.transferChunk }),
        retrieve: ini.urls.retrieve,
        notifyRetrieve: ini.urls.notifyRetrieve,
        notifyHome: 'assistance',
        // Asked only where `gateway.consents` names INI.
        consents: true,
        consentsPath: new URL(ini.urls.consents).pathname,
      }),
      ofRegion('region-050'),
      ofRegion('region-120'),
      ofRegion('region-150'),
      ...(ofSistemaTs === undefined ? [] : [ofSistemaTs.community]),
    ],
    {
      listen: { port: options.ports?.gateway ?? 0 },
      operator: { port: options.ports?.operator ?? 0 },
      workflowStatus: { callers: { anchors: [join(certificates, 'ca.pem')], names: ['^A[0-9]+#950#'] } },
      // It is its log that tells when it listens, and where.
      ...(options.process && { logLevel: 'info' }),
      ...options.gateway,
    },
  )
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  const child = options.process && opened.use(await startGatewayProcess(file))
  const { ports } = child ?? opened.use(await startGateway(loadConfig(file), clock === undefined ? {} : { clock }))
  const origin = `https://localhost:${ports.soap}`
  const { store: kept } = (JSON.parse(await readFile(file, 'utf8')) as FederationInput).gateway
  const store = 'path' in kept ? kept.path : ''
  const push = await iniPushes({
    certificates,
    seed: seed.name,
    origin,
    iniOrigin: new URL(ini.urls.search).origin,
    ...(clock && { now: () => clock.now() }),
  })
  const running = opened.move()
  return {
    seed,
    certificates,
    record,
    ini: Object.assign(ini, { push }),
    fseGateway: fseGateway({ certificates, origin }),
    regions,
    parties,
    ...(sistemaTs && { sistemaTs }),
    control,
    gateway: {
      iti18: origin + paths.iti18,
      iti38: origin + paths.iti38,
      iti43: origin + paths.iti43,
      iti39: origin + paths.iti38,
      operator: `http://127.0.0.1:${ports.operator}`,
      config: file,
      store,
      ...(child && { process: child }),
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Homes by the names the gateway gives its communities. */
export const homesByName: ReadonlyMap<string, string> = new Map(
  (['tuscany', 'ini', 'region-050', 'region-120', 'region-150'] as const).map((name) => [name, homeOf(name)]),
)
