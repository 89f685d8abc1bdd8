import { dispatcher } from '../../../../src/journal/dispatcher.ts'

// node dispatching.ts <engine module> <directory>: delivers what waits, without ever being confirmed, and prints the id of each
// delivery it begins, until the process is killed.
const [engine = '', directory = ''] = process.argv.slice(2)
const { openStore } = (await import(engine)) as typeof import('./sqlite-engine.ts')
const { outbox } = await openStore(directory)
const ignored = () => undefined
dispatcher({
  outbox,
  deliverers: new Map([
    [
      'notify-retrieve:ini',
      ({ id }) => {
        console.log(id)
        return new Promise<void>(ignored)
      },
    ],
  ]),
  clock: { now: () => Date.now() },
  backoff: { firstMs: 1, factor: 1, mostMs: 1, random: () => 0 },
  ...{ concurrency: 4, mostAttempts: 3, deadlineMs: 60_000, everyMs: 1000, graceMs: 0 },
  ...{ onDelivered: ignored, onFailed: ignored, onDead: ignored, onTrouble: ignored },
})
