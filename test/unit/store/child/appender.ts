import { auditRecord } from './records.ts'

// node appender.ts <engine module> <directory> <name> <count> <leave|dispose>: appends records named <name>-1 … and prints each
// sequence once it is acknowledged. `leave` ends without closing the store; a count of 0 goes on until the process is killed.
const [engine = '', directory = '', name = '', count = '0', ending = 'leave'] = process.argv.slice(2)
const { openStore } = (await import(engine)) as typeof import('./sqlite-engine.ts')
const store = await openStore(directory)
console.log('open')

let appended = 0
async function appendOn(): Promise<void> {
  while (count === '0' || appended < Number(count)) {
    const { sequence } = await store.append(auditRecord(`${name}-${++appended}`))
    console.log(sequence)
  }
}
await Promise.all([appendOn(), appendOn(), appendOn(), appendOn()])
if (ending === 'dispose') await store[Symbol.asyncDispose]()
