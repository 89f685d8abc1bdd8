import { fork } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectionOf } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import type { CommunityClient } from '../../src/client/send.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import { paths } from '../../src/gateway.ts'
import { actions } from '../../src/wire/actions.ts'
import { encodeRetrieveRequest } from '../../src/wire/ebrim/retrieve.ts'
import { packageEvents } from '../../src/wire/mtom/package.ts'
import { writePackage } from '../../src/wire/mtom/write.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { certificates, communityInput, writeGatewayConfig } from '../support/gateway-config.ts'
import { type Measurement, median } from './measurement.ts'
import { noise } from './mtom-split.ts'
import { nginxBefore } from './nginx.ts'

/** MB/s of retrieving one document of 1 MB after the other. */
export const retrieve1mb = () => retrieving(1, { warm: 40, rounds: 100 })
/** MB/s of retrieving one document of 20 MB after the other. */
export const retrieve20mb = () => retrieving(20, { warm: 5, rounds: 20 })
/** MB/s of retrieving one document of 100 MB after the other. */
export const retrieve100mb = () => retrieving(100, { warm: 3, rounds: 9 })

const citizen = patientId('PROVAX00X00X000Y', authorities.codiceFiscale)
/** The ids that `findDocumentsAnswer` gives to its first document. */
const reference = {
  repositoryUniqueId: '2.16.840.1.113883.2.9.2.30.4.5.1',
  uniqueId: '2.16.840.1.113883.2.9.2.30.4.4^1000000',
}
const timeoutMs = 120_000

/**
 * A consumer retrieves a document by ITI-43 through the gateway, and gets the same bytes through nginx: the holder, the
 * gateway and nginx are processes of their own, everybody speaks mutual TLS and keeps connections open.
 */
async function retrieving(
  megabytes: number,
  { warm, rounds }: { readonly warm: number; readonly rounds: number },
): Promise<Measurement> {
  await using running = new AsyncDisposableStack()
  const start = async (script: string, ...parameters: readonly string[]) => {
    const child = fork(join(import.meta.dirname, script), parameters, {
      execArgv: ['--max-semi-space-size=64', '--external-memory-accounted-in-global-limit'],
    })
    running.defer(() => void (child.connected && child.disconnect()))
    const port = await new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', () => reject(new Error(`${script} did not start`)))
    })
    return { port: Number(port), pid: child.pid ?? 0 }
  }
  const size = megabytes * 1e6
  const holder = await start('document-server.ts', String(size), reference.repositoryUniqueId, reference.uniqueId)
  const { folder, file } = await writeGatewayConfig([
    communityInput('tuscany', 'tuscany', {
      protocol: 'xds',
      registry: `https://127.0.0.1:${holder.port}/registry`,
      repository: `https://127.0.0.1:${holder.port}/repository`,
    }),
  ])
  running.defer(() => rm(folder, { recursive: true, force: true }))
  const gateway = await start('gateway-server.ts', file)
  const nginx = await nginxBefore(holder.port)
  if (nginx !== undefined) running.use(nginx)

  const portal = identityOf('portal', certificates)
  const clients = { gateway: running.use(connectionOf(portal)), nginx: running.use(connectionOf(portal)) }
  const doors = {
    gateway: `https://127.0.0.1:${gateway.port}${paths.iti43}`,
    nginx: `https://127.0.0.1:${nginx?.port}/repository`,
  }
  await insistOnContent(clients.gateway, await requestFor(doors.gateway), size)
  const idle = memoryOf(gateway.pid)
  idle.forgetPeak()
  const through = { gateway: [] as number[], nginx: [] as number[] }
  for (let round = 0; round < warm + rounds; round++) {
    for (const way of nginx === undefined ? (['gateway'] as const) : (['nginx', 'gateway'] as const)) {
      const request = await requestFor(doors[way])
      const started = performance.now()
      const bytes = await clients[way].receive(request, ({ body }) => countOf(body))
      const took = (performance.now() - started) / 1000
      if (bytes < size) throw new Error(`Only ${bytes} bytes came through ${way}`)
      // The first rounds warm up connections and code.
      if (round >= warm) through[way].push(megabytes / took)
    }
  }
  const { peakMb } = memoryOf(gateway.pid)
  const [value, floor] = [median(through.gateway), median(through.nginx)]
  const memory = `rssMb is the gateway's peak, ${idle.mb} MB before`
  return {
    bench: `retrieve-${megabytes}mb`,
    unit: 'MB/s',
    value,
    floor,
    floorIs:
      nginx === undefined
        ? `nothing: nginx is not installed on this machine; ${memory}`
        : `nginx passing on the same bytes; the limit is a ratio of 0.5; ${memory}`,
    ratio: value / floor,
    rssMb: peakMb,
  }
}

type Request = Parameters<CommunityClient['receive']>[0]

/** A request as a consumer makes it, in a package so that the document comes in one. */
async function requestFor(url: string): Promise<Request> {
  const assertion = await assertionOf(identityOf('portal', certificates), {
    ...{ patient: citizen, role: 'AAS', purpose: 'TREATMENT', action: 'READ', types: [], lifetimeSeconds: 300 },
  })
  const messageId = `urn:uuid:${randomUUID()}`
  const { contentType, body } = writePackage({
    boundary: `MIME_${randomUUID()}`,
    rootId: 'root@portal',
    soap: '1.2',
    root: Buffer.from(
      encodeEnvelope(
        { action: actions.retrieveDocumentSet, messageId, to: url, anonymousReply: true, assertion },
        encodeRetrieveRequest([reference]),
      ),
    ),
    parts: [],
  })
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return {
    ...{ url, method: 'POST', headers: { 'content-type': contentType }, body: Buffer.concat(pieces) },
    ...{ signal: AbortSignal.timeout(timeoutMs), idempotent: true },
  }
}

async function countOf(body: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.length
  return bytes
}

/** That it is the holder's document that comes through, byte by byte: anything else would be quick for nothing. */
async function insistOnContent(client: CommunityClient, request: Request, size: number): Promise<void> {
  const arrived = await client.receive(request, async ({ headers, body }) => {
    const hash = createHash('sha256')
    for await (const event of packageEvents(headers['content-type'] ?? '', body)) {
      if (event.kind === 'data') hash.update(event.bytes)
    }
    return hash.digest('hex')
  })
  if (arrived !== createHash('sha256').update(noise(size)).digest('hex')) {
    throw new Error('What came through the gateway is not the document')
  }
}

/** What a process holds in memory, and the most it held since the peak was forgotten; nothing where Linux does not say. */
function memoryOf(pid: number) {
  const told = (name: string) => {
    try {
      const [, kilobytes] = new RegExp(`${name}:\\s*(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
      return Math.round(Number(kilobytes) / 1024)
    } catch {
      return Number.NaN
    }
  }
  return {
    mb: told('VmRSS'),
    peakMb: told('VmHWM'),
    forgetPeak() {
      try {
        writeFileSync(`/proc/${pid}/clear_refs`, '5')
      } catch {
        // The peak is then that since the process began.
      }
    },
  }
}
