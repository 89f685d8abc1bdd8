import { delivery } from './deliveries.ts'

// node putter.ts <engine module> <directory> <name>: puts deliveries <name>-0 …, four at a time and of three keys, and prints each
// number once it is acknowledged, until the process is killed.
const [engine = '', directory = '', name = ''] = process.argv.slice(2)
const { openStore } = (await import(engine)) as typeof import('./sqlite-engine.ts')
const { outbox } = await openStore(directory)
console.log('open')

let begun = 0
async function putOn(): Promise<void> {
  for (;;) {
    const number = begun++
    await outbox.put(delivery(`${name}-${number}`, { key: `${name}-${number % 3}` }))
    console.log(number)
  }
}
await Promise.all([putOn(), putOn(), putOn(), putOn()])
