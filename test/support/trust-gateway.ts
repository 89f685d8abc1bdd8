import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/load.ts'
import { type Gateway, type GatewayOptions, paths, startGateway } from '../../src/gateway.ts'
import { attributeAssertion, type Claims, type Signer } from '../network/assertion.ts'
import type { Region } from '../network/region.ts'
import { sow } from '../network/seed.ts'
import { type Channel, type HttpAnswer, send, soapRequest } from '../network/soap-client.ts'
import { startTuscanRecord, type TuscanRecord } from '../network/tuscan-record.ts'
import { type Answered, findDocuments, patient, read } from '../unit/network/asking.ts'
import {
  type CommunityChanges,
  certificates,
  communityInput,
  type FederationInput,
  type PartyName,
  partyCodes,
  writeGatewayConfig,
} from './gateway-config.ts'

/** Nobody listens at port 1: nobody who knocks at the door for other communities makes us ask them. */
const away = 'https://127.0.0.1:1/'

export const seed = sow()

export interface TrustGatewayOptions extends GatewayOptions {
  readonly config?: Partial<FederationInput['gateway']>
  readonly communities?: Partial<Record<PartyName, CommunityChanges>>
  /** Another gateway's, which goes on with it. */
  readonly record?: TuscanRecord
  /** Regions that can be asked; then they are the only ones. By default two that cannot. */
  readonly regions?: readonly Region[]
  /** Whether the record and its index of patients are asked each time; by default one answer serves many knocks. */
  readonly asksAlways?: boolean
}

/** A gateway before the Tuscan record alone, for those who come to the door for other communities (ITI-38). */
export interface TrustGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly record: TuscanRecord
  readonly iti18: string
  readonly iti38: string
  /** The configuration, beside the store. */
  readonly file: string
  readonly store: string
  knock(knock?: Knock): Promise<Answered>
  /** The value of one series of the metrics, `crocevia_…{…="…"}` without spaces; 0 when there is none. */
  metric(series: string): Promise<number>
}

/** One question at the door. Region 050 asks about a newborn Tuscan, of whom there are few documents, unless told otherwise. */
export interface Knock {
  /** Whose certificate the connection has: a folder of the development identities, or a pair and a connection of its own. */
  readonly as?: string | Channel
  /** Keeps the connections of a pair, where they are not to be new each time. */
  readonly agent?: Agent
  /** CX of the patient. */
  readonly about?: string
  /** Default: one assertion in INI's form, of who knocks. */
  readonly assertions?: readonly string[]
  readonly claims?: Partial<Claims>
  readonly by?: Signer
  readonly body?: string
  readonly messageId?: string
  readonly action?: string
  readonly door?: 'iti18' | 'iti38'
  /** What becomes of the message before it is sent. */
  readonly change?: (message: string) => string
  readonly contentType?: string
}

const actions = {
  iti18: 'urn:ihe:iti:2007:RegistryStoredQuery',
  iti38: 'urn:ihe:iti:2007:CrossGatewayQuery',
} as const

export async function startTrustGateway(options: TrustGatewayOptions = {}): Promise<TrustGateway> {
  const { communities = {}, config = {}, asksAlways = false, clock } = options
  await using opened = new AsyncDisposableStack()
  const record = options.record ?? opened.use(await startTuscanRecord({ certificates, seed, ...(clock && { clock }) }))
  const own = { protocol: 'xds', registry: record.urls.registry, fhir: record.urls.fhir, patients: asksAlways }
  const cache = asksAlways ? {} : { cache: { ttlMs: 60_000, entries: 100 } }
  const region = (name: PartyName, query = away) => communityInput(name, 'region', { query }, communities[name])
  const regions = options.regions?.map(({ name, urls }) => region(name as PartyName, urls.crossGatewayQuery))
  const { folder, file } = await writeGatewayConfig(
    [
      communityInput('tuscany', 'tuscany', own, { ...cache, ...communities.tuscany }),
      communityInput('ini', 'ini', { base: away }, communities.ini),
      ...(regions ?? [region('region-050'), region('region-120')]),
    ],
    config,
  )
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  const gateway = opened.use(await startGateway(loadConfig(file), clock === undefined ? {} : { clock }))
  const origin = `https://localhost:${gateway.ports.soap}`
  const urls = { iti18: origin + paths.iti18, iti38: origin + paths.iti38 }
  const agents = new Map<string, Agent>()
  opened.defer(() => {
    for (const agent of agents.values()) agent.destroy()
  })
  const agentOf = (party: string): Agent => {
    const agent = agents.get(party) ?? new Agent({ keepAlive: true })
    agents.set(party, agent)
    return agent
  }
  const running = opened.move()
  return {
    gateway,
    record,
    ...urls,
    file,
    store: config.store !== undefined && 'path' in config.store ? config.store.path : join(folder, 'store.sqlite'),
    async knock(knock = {}) {
      const { as = 'region-050', contentType = 'application/soap+xml; charset=utf-8' } = knock
      const to = urls[knock.door ?? 'iti38']
      const message = { headers: { 'content-type': contentType }, body: messageOf(knock, to) }
      const http = await (typeof as === 'string'
        ? send(to, channelOf(as), { ...message, agent: agentOf(as) })
        : send(to, as, { ...message, ...(knock.agent && { agent: knock.agent }) }))
      return { ...read({ ...http, text: rootOf(http) }), http }
    },
    async metric(series) {
      const response = await fetch(`http://127.0.0.1:${gateway.ports.operator}/metrics`)
      const lines = (await response.text()).split('\n')
      return Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length + 1) ?? 0)
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The message of an answer, taken out of its package where it has one. */
function rootOf({ contentType, text }: HttpAnswer): string {
  if (!contentType.startsWith('multipart/related')) return text
  const parameter = (name: string) => new RegExp(`${name}="?([^";]+)`).exec(contentType)?.[1] ?? ''
  const parts = text.split(`--${parameter('boundary')}`).slice(1, -1)
  const root = parts.find((part) => part.includes(parameter('start'))) ?? ''
  return root.slice(root.indexOf('\r\n\r\n') + 4)
}

/** The message a knock sends. */
export function messageOf(knock: Knock, to: string): string {
  const { about = patient('numeric'), messageId = `urn:uuid:${randomUUID()}`, change = (text) => text } = knock
  const { assertions = [assertionOf(knock)], body = findDocuments(about), door = 'iti38' } = knock
  const { action = actions[door] } = knock
  return change(soapRequest({ to, action, messageId, assertions, body }))
}

/** The assertion a knock brings, where it brings the usual one. */
export function assertionOf({ as = 'region-050', about = patient('numeric'), claims, by }: Knock = {}): string {
  const name = typeof as === 'string' ? as : 'region-050'
  const codes: Readonly<Record<string, string>> = { ...partyCodes, portal: partyCodes.tuscany }
  const issuer = codes[name] ?? partyCodes['region-050']
  return attributeAssertion({ patient: about, issuer, ...claims }, by ?? signerIn(name))
}

const file = (...path: string[]): string => readFileSync(join(certificates, ...path), 'utf8')

export function channelOf(party: string): Channel {
  return { ca: file('ca.pem'), cert: file(party, 'tls.crt.pem'), key: file(party, 'tls.key.pem') }
}

/** A signing pair of the development identities: `signing`, `signing-ec` … */
export function signerIn(party: string, kind = 'signing'): Signer {
  return { certificate: file(party, `${kind}.crt.pem`), key: file(party, `${kind}.key.pem`) }
}

export function pemFile(path: string): string {
  return file(path)
}

/** A path of the development identities, for the configuration. */
export function pathOf(path: string): string {
  return join(certificates, path)
}

/** What is attacked is granted as it stands, before the attack and after it. */
export async function between<T>(control: () => Promise<Answered>, attack: () => Promise<T>): Promise<T> {
  insistOnGrant(await control(), 'before')
  const outcome = await attack()
  insistOnGrant(await control(), 'after')
  return outcome
}

function insistOnGrant({ status, fault, issues, http }: Answered, when: string): void {
  if (status === 'Success') return
  throw new Error(
    `The control ${when} was not granted: ${JSON.stringify({ status, fault, issues, http: http.status })}`,
  )
}

/** A refusal of INI's kind, read by local names: `Detail/…{Timestamp, ErrorCode, Description}` (ini.md §1.6 no. 3). */
export function policyFault({ fault }: Answered) {
  const detail = fault?.detail ?? ''
  const text = (local: string) => new RegExp(`<(?:[\\w-]+:)?${local}[ >][^<]*`).exec(detail)?.[0].replace(/^[^>]*>/, '')
  return {
    element: /<[\w-]+:Detail[^>]*><(?:[\w-]+:)?(\w+)/.exec(detail)?.[1],
    time: text('Timestamp'),
    code: text('ErrorCode'),
    description: text('Description'),
  }
}
