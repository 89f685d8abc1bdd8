import { parseArgs } from 'node:util'
import { ask } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { asJson, asText } from '../../src/cli/present.ts'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import type { FindDocuments } from '../../src/core/model/stored-query.ts'
import { citizens } from './citizens.ts'
import { writeFederationFile } from './federation-file.ts'
import { homesByName, startNetwork } from './network.ts'

/** The main job, shown: a clinician's question, asked over the wire, one region down, one merged index back. */
const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
})
const say = (text: string) => {
  if (!values.json) console.log(text)
}

say('Making certificates and starting the federation …')
const network = await startNetwork()
const citizen = citizens.lazio
const portal = identityOf('portal', network.certificates)
const patient = patientId(citizen.identifiers[0].value, authorities.codiceFiscale)

await network.parties['region-150'].behave('down')
say(`
A Tuscan portal asks, for a hospital doctor, which documents there are about the synthetic citizen ${patient.value},
${citizen.story}. Campania (region-150) has been taken down.
`)
const query: FindDocuments = { type: 'FindDocuments', patientId: patient, status: ['approved'], filter: {}, extra: [] }
const assertion = await assertionOf(portal, {
  patient,
  role: 'AAS',
  purpose: 'TREATMENT',
  action: 'READ',
  types: [],
  lifetimeSeconds: 300,
})
const reply = await ask(portal, network.gateway, query, assertion)

if (values.json) {
  const homes = new Map([...homesByName].map(([name, home]) => [name, homeCommunityId(home)]))
  console.log(JSON.stringify(asJson(patient.value, reply, homes), undefined, 2))
} else {
  console.log(asText(reply))
}
if (values.once || !process.stdout.isTTY) {
  await network[Symbol.asyncDispose]()
  say('\nTo keep a federation running and ask it yourself: npm run federation')
} else {
  await network.parties['region-150'].behave('normal')
  const file = await writeFederationFile(network)
  say(`
Campania is up again, and the federation keeps running (described in ${file}). To go on, in another terminal:

  npm run crocevia -- query --as portal --patient ${patient.value}
  npm run crocevia -- query --as region-050 --patient ${citizens.tuscan.identifiers[0].value}
  npm run crocevia -- query --as stranger --patient ${patient.value}
  curl ${network.gateway.operator}/status

Ctrl-C stops it.`)
  const stop = () => {
    network[Symbol.asyncDispose]().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
