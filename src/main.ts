import { parseArgs } from 'node:util'
import { ConfigError, loadConfig } from './config/load.ts'
import { startGateway } from './gateway.ts'

const { values } = parseArgs({ options: { config: { type: 'string' } } })
const path = values.config ?? process.env.FEDERATION_FILE
if (path === undefined) {
  console.error('usage: npm start -- --config <federation.json>')
  process.exit(2)
}

try {
  const gateway = await startGateway(loadConfig(path), { processMetrics: true })
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A second signal does not wait for exchanges under way.
      if (stopping) process.exit(1)
      stopping = true
      gateway[Symbol.asyncDispose]().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
  }
} catch (error) {
  console.error(
    error instanceof ConfigError ? error.message : error instanceof Error ? `✖ ${error.message}` : '✖ failed',
  )
  process.exit(1)
}
