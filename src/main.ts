import { parseArgs } from 'node:util'
import { ConfigError, loadConfig } from './config/load.ts'
import { startGateway } from './gateway.ts'
import { createEvents } from './telemetry/events.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

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
      gateway.stop(signal).then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
  }
} catch (error) {
  if (error instanceof ConfigError) {
    createEvents(createLog(), createMetrics()).configRejected({ paths: error.faults.map((fault) => fault.path) })
  }
  console.error(error instanceof Error ? error.message : 'The gateway could not start')
  process.exit(1)
}
