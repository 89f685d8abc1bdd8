import { setTimeout as passed } from 'node:timers/promises'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import type { Community } from '../../src/core/ports.ts'
import { answer, citizen, community, entry } from '../support/builders.ts'
import { portalDoors } from '../support/portal-doors.ts'
import { type Measurement, median, rssMb } from './measurement.ts'

const [fastestMs, slowestMs, count, each, rounds] = [50, 2_000, 20, 50, 7]

/** Milliseconds until a portal has the first documents of a stream over twenty communities, as a citizen asks. */
export async function firstEntry20(): Promise<Measurement> {
  const { first } = await measured()
  const floorIs = `the fastest community's own answer (it waits ${fastestMs} ms; the others up to ${slowestMs} ms)`
  return measurement('first-entry-20', median(first), fastestMs, floorIs)
}

/** Milliseconds until the same stream is complete. */
export async function complete20(): Promise<Measurement> {
  const { complete } = await measured()
  return measurement('complete-20', median(complete), slowestMs, `the slowest community's own answer`)
}

function measurement(bench: string, value: number, floor: number, floorIs: string): Measurement {
  return { bench, unit: 'ms', value, floor, floorIs, ratio: value / floor, rssMb: rssMb() }
}

interface Times {
  readonly first: number[]
  readonly complete: number[]
}

let running: Promise<Times> | undefined

/** Both are measured by the same streams. */
function measured(): Promise<Times> {
  running ??= streams()
  return running
}

async function streams(): Promise<Times> {
  const claims = {
    ...{ subject: `${citizen.value}^^^&${citizen.authority}&ISO`, role: 'ASS', purposeOfUse: 'PERSONAL' },
  }
  await using doors = await portalDoors({ communities: Array.from({ length: count }, (_, at) => waiting(at)), claims })
  const times: Times = { first: [], complete: [] }
  for (let round = 0; round <= rounds; round++) {
    const started = performance.now()
    let first: number | undefined
    let told = 0
    for await (const { data, event } of doors.client.askFederationEvents({ patient: citizen })) {
      if (event === 'entries') first ??= performance.now() - started
      if (event === 'complete') told = data.entries.length
    }
    if (told !== count * each) throw new Error(`Expected ${count * each} entries, got ${told}`)
    // The first warms up the connection and the code.
    if (round === 0 || first === undefined) continue
    times.first.push(first)
    times.complete.push(performance.now() - started)
  }
  return times
}

function waiting(at: number): Community {
  const region = at + 1
  const wait = fastestMs + ((slowestMs - fastestMs) * at) / (count - 1)
  const entries = Array.from({ length: each }, (_, index) => {
    return entry(`r${region}-${index}`, {
      uniqueId: `2.16.840.1.113883.2.9.2.${region}.4.4^${index}`,
      repositoryUniqueId: `2.16.840.1.113883.2.9.2.${region}.4.5.1`,
    })
  })
  return community({
    home: homeCommunityId(`urn:oid:2.16.840.1.113883.2.9.2.${region}`),
    name: `region-${region}`,
    relation: at === count - 1 ? 'own' : 'partner',
    query: async (_query, { signal }) => {
      await passed(wait, undefined, { signal })
      return answer({ entries })
    },
  })
}
