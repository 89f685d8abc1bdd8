import { draft, person } from './drafts.ts'

// node pusher.ts <engine module> <directory> <name>: appends pushes <name>-0 …, four at a time and of three objects, and prints
// each number once it is acknowledged, until the process is killed.
const [engine = '', directory = '', name = ''] = process.argv.slice(2)
const { openStore } = (await import(engine)) as typeof import('./sqlite-engine.ts')
const { journal } = await openStore(directory)
console.log('open')

let begun = 0
async function pushOn(): Promise<void> {
  for (;;) {
    const number = begun++
    await journal.append(draft(`${name}-${number}`, { objects: [`${number % 3}`], patients: [person(name)] }))
    console.log(number)
  }
}
await Promise.all([pushOn(), pushOn(), pushOn(), pushOn()])
