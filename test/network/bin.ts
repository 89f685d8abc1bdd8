import { rm } from 'node:fs/promises'
import { citizens } from './citizens.ts'
import { writeFederationFile } from './federation-file.ts'
import { startNetwork } from './network.ts'

/** The development federation, kept running until it is told to stop. */
const network = await startNetwork({ sistemaTs: {} })
const file = await writeFederationFile(network)
const { gateway, control } = network
const patient = citizens.lazio.identifiers[0].value

console.log(`The federation is running; everything about it is in ${file}

  ITI-18, for Tuscan consumers   ${gateway.iti18}
  ITI-38, for other regions      ${gateway.iti38}
  ITI-43, documents, consumers   ${gateway.iti43}
  ITI-39, documents, regions     ${gateway.iti39}
  INI's services                 ${new URL('/ini/', gateway.iti18).href}…
  operator port                  ${gateway.operator}/status
  counterparts' controls         ${control.url}

Ask as the portal:
  npm run crocevia -- query --as portal --patient ${patient}
Push as INI:
  npm run crocevia -- push create --patient ${citizens.tuscan.identifiers[0].value}
Take a region down, and up again:
  curl -X PUT -d '{"behave":"down"}' ${new URL('/region-150', control.url).href}
  curl -X PUT -d '{"behave":"normal"}' ${new URL('/region-150', control.url).href}

Ctrl-C stops it.`)

const stop = () => {
  network[Symbol.asyncDispose]()
    .then(() => rm(file, { force: true }))
    .then(
      () => process.exit(0),
      () => process.exit(1),
    )
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
