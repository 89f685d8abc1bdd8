import { once } from 'node:events'
import { use } from './uses.ts'

// node rememberer.ts <engine module> <directory> <name> <count>: opens the store, prints `open`, waits for a line, then remembers
// <name>-0 … one use a call and four calls at a time, and prints `<number> free` or `<number> taken` once each is acknowledged.
// A count of 0 goes on until the process is killed.
const [engine = '', directory = '', name = '', count = '0'] = process.argv.slice(2)
const { openStore } = (await import(engine)) as typeof import('./sqlite-engine.ts')
const store = await openStore(directory)
console.log('open')
await once(process.stdin, 'data')
process.stdin.destroy()

let begun = 0
async function rememberOn(): Promise<void> {
  while (count === '0' || begun < Number(count)) {
    const number = begun++
    const taken = await store.remember([use(`${name}-${number}`)])
    console.log(`${number} ${taken === undefined ? 'free' : 'taken'}`)
  }
}
await Promise.all([rememberOn(), rememberOn(), rememberOn(), rememberOn()])
await store[Symbol.asyncDispose]()
