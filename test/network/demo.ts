import { parseArgs } from 'node:util'
import { asJson, asText } from '../../src/cli/present.ts'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import { citizens } from './citizens.ts'
import { asked, misses, must, pushes, type Seen } from './demo-pushes.ts'
import { writeFederationFile } from './federation-file.ts'
import { homesByName, type Network, startNetwork } from './network.ts'

/**
 * The main jobs, shown: a clinician's question, asked over the wire, one region down, one merged index back; then a push
 * of INI that survives whatever happens. What is told was seen: a step that does not come about fails the demo.
 */
const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
})
const say = (text: string) => {
  if (!values.json) console.log(text)
}
const citizen = citizens.lazio
const patient = patientId(citizen.identifiers[0].value, authorities.codiceFiscale)

async function show(network: Network): Promise<void> {
  await network.parties['region-150'].behave('down')
  say(`
A Tuscan portal asks, for a hospital doctor, which documents there are about the synthetic citizen ${patient.value},
${citizen.story}. Campania (region-150) has been taken down.
`)
  const reply = await asked(network, patient)
  say(asText(reply))
  must(reply.entries.length > 0 && misses(reply, 'region-150'), 'an index, and the region that is missing')
  await network.parties['region-150'].behave('normal')

  say(`
Campania is up again. INI pushes into the index of the synthetic citizen ${citizens.tuscan.identifiers[0].value},
${citizens.tuscan.story}.`)
  const seen: Seen[] = []
  for await (const step of pushes(network)) {
    seen.push(step)
    say(`\n${seen.length}. ${step.step}\n${step.lines.map((line) => `   ${line}`).join('\n')}`)
  }
  if (!values.json) return
  const homes = new Map([...homesByName].map(([name, home]) => [name, homeCommunityId(home)]))
  console.log(JSON.stringify({ ...asJson(patient.value, reply, homes), pushes: seen }, undefined, 2))
}

say('Making certificates and starting the federation …')
const network = await startNetwork({
  process: true,
  // The next attempt to deliver is not under way when the gateway is killed: it would be made again half a minute later.
  gateway: { deliveries: { timeoutMs: 1_000, firstRetryMs: 2_000, longestRetryMs: 2_000 } },
})
const close = () => network[Symbol.asyncDispose]()
try {
  await show(network)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
if (process.exitCode === 1 || values.once || !process.stdout.isTTY) {
  await close()
  if (process.exitCode !== 1) say('\nTo keep a federation running and ask it yourself: npm run federation')
} else {
  const file = await writeFederationFile(network)
  say(`
The federation keeps running (described in ${file}). To go on, in another terminal:

  npm run crocevia -- query --as portal --patient ${patient.value}
  npm run crocevia -- query --as region-050 --patient ${citizens.tuscan.identifiers[0].value}
  npm run crocevia -- query --as stranger --patient ${patient.value}
  npm run crocevia -- push create --patient ${citizens.tuscan.identifiers[0].value}
  npm run crocevia -- journal list --url ${network.gateway.operator}
  curl ${network.gateway.operator}/status

Ctrl-C stops it.`)
  const stop = () => {
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
