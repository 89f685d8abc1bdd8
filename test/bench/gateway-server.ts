import { loadConfig } from '../../src/config/load.ts'
import { startGateway } from '../../src/gateway.ts'

/** A gateway in a process of its own; its argument is the configuration. Ends with its parent. */
const gateway = await startGateway(loadConfig(process.argv[2] ?? ''))
process.send?.(gateway.ports.soap)
process.once('disconnect', () => {
  gateway[Symbol.asyncDispose]().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
