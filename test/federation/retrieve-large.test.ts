import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { citizens } from '../network/citizens.ts'
import { contentsOf } from '../network/contents.ts'
import { expectations } from '../network/expectations.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { type Seed, sow } from '../network/seed.ts'
import { type RetrievalWishes, referencesOf, retrieval } from '../support/asking.ts'
import { homeOf, type PartyName } from '../support/gateway-config.ts'

const seed: Seed = sow()
const large = 20 * 1024 * 1024 + 1
const small = 700

/** The first documents of a party that a hospital doctor is shown of the citizen from Lazio. */
function documentsOf(party: PartyName) {
  const { visible } = expectations(seed, citizens.lazio, { asked: [party as 'tuscany'] })
  return referencesOf(seed, visible).filter(({ home }) => home === homeOf(party))
}
const first = (party: PartyName) => documentsOf(party)[0] ?? { home: '', repositoryUniqueId: '', uniqueId: '' }
const [ours, veneto, campania] = [first('tuscany'), first('region-050'), first('region-150')]
/** Most of it goes to a file. */
const largest = documentsOf('tuscany')[2] ?? ours
const sizes = {
  ...{ [ours.uniqueId]: large, [veneto.uniqueId]: large, [campania.uniqueId]: large },
  [largest.uniqueId]: 3 * large,
}
const contents = contentsOf(seed, sizes)
const isWhole = ({ bytes, uniqueId }: { readonly bytes: Buffer; readonly uniqueId: string }) =>
  bytes.equals(contents.bytes(uniqueId))

let network: Network
let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'crocevia-documents-'))
  network = await startNetwork({
    counterparts: {
      tuscany: { sizes },
      // The region of assistance tells of them too.
      'region-120': { sizes },
      'region-050': { sizes, packaging: 'always-plain' },
      'region-150': { sizes, packaging: 'always-mtom' },
    },
    gateway: { retrieval: { spool } },
    communities: { 'region-050': { retrieval: { timeoutMs: 5_000 } } },
  })
})
afterAll(async () => {
  await network[Symbol.asyncDispose]()
  await rm(spool, { recursive: true, force: true })
})
beforeEach(async () => {
  for (const party of Object.values(network.parties)) {
    await party.behave('normal')
    party.asked.clear()
  }
})

const retrieve = (references: readonly (typeof ours)[], wishes: RetrievalWishes = {}) =>
  retrieval(network, 'lazio', references, wishes)

describe('a document of 20 MB', () => {
  it.each<['mtom' | 'plain']>([['mtom'], ['plain']])(
    'comes through whole, however its holder packages it, to who asks in %s',
    async (packaging) => {
      for (const reference of [ours, veneto, campania]) {
        const answer = await retrieve([reference], { packaging })
        expect(answer.status).toBe('Success')
        expect(answer.packaged).toBe(packaging === 'mtom')
        expect(answer.documents.map(({ bytes, uniqueId }) => [uniqueId, bytes.length])).toEqual([
          [reference.uniqueId, large],
        ])
        expect(answer.documents.every(isWhole)).toBe(true)
      }
    },
  )

  it('comes with others in their order', async () => {
    const references = [campania, ours, documentsOf('tuscany')[1] ?? ours, veneto]
    const answer = await retrieve(references)
    expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual(references.map(({ uniqueId }) => uniqueId))
    expect(answer.documents.every(isWhole)).toBe(true)
  })

  it.each(['altered', 'truncated', 'short'] as const)('is not given at all when it comes %s', async (way) => {
    await network.regions['region-150'].behave({ behave: way, face: 'xcr' })
    const answer = await retrieve([campania, ours])
    expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual([ours.uniqueId])
    expect(answer.issues.map(({ location }) => location)).toEqual([campania.uniqueId])
    expect(answer.http.bytes.length).toBeLessThan(large + 100_000)
  })
})

/** Documents in files: these have lost their names, and are known by what this process holds open. */
async function inFiles(): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(join('/proc/self/fd', fd)).catch(() => '')),
  )
  return links.filter((link) => link.startsWith(spool)).length
}

describe.skipIf(!existsSync('/proc/self/fd'))('the spool', () => {
  it('holds nothing once the documents are given', async () => {
    await retrieve([ours, veneto])
    await expect.poll(inFiles).toBe(0)
    expect(await readdir(spool)).toEqual([])
  })

  it('holds nothing of a caller who leaves while a document arrives', async () => {
    await network.record.behave({ behave: 'slow-drip', delayMs: 40, face: 'repository' })
    const caller = new AbortController()
    const asking = retrieve([largest], { signal: caller.signal })
    const left = expect(asking).rejects.toThrow()
    await expect.poll(inFiles, { interval: 10 }).toBe(1)
    caller.abort()
    await left
    await expect.poll(inFiles, { interval: 10 }).toBe(0)
    await expect.poll(() => network.record.asked.last.at(-1)?.aborted).toBe(true)
    expect(await readdir(spool)).toEqual([])
  })

  it('holds nothing of a caller who leaves in the middle of the answer', async () => {
    const caller = new AbortController()
    let held = 0
    const asking = retrieve([ours, campania], {
      signal: caller.signal,
      onBytes(received) {
        if (received < small || caller.signal.aborted) return
        void inFiles().then((files) => {
          held = Math.max(held, files)
          caller.abort()
        })
      },
    })
    await expect(asking).rejects.toThrow()
    expect(held).toBeGreaterThan(0)
    await expect.poll(inFiles, { interval: 10 }).toBe(0)
    expect(await readdir(spool)).toEqual([])
  })

  it('holds nothing of a holder that breaks off', async () => {
    await network.regions['region-150'].behave({ behave: 'truncated', face: 'xcr' })
    await retrieve([campania])
    await expect.poll(inFiles, { interval: 10 }).toBe(0)
  })
})
