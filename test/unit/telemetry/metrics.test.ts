import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../src/telemetry/metrics.ts'

describe('createMetrics', () => {
  it('tells the Prometheus text format with a help line for every metric', async () => {
    const metrics = createMetrics()
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await metrics.text()
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'))
  })

  it('adds the process’s own metrics only when asked', async () => {
    expect(await createMetrics().text()).not.toContain('nodejs_eventloop_lag_seconds')
    expect(await createMetrics({ process: true }).text()).toContain('nodejs_eventloop_lag_seconds')
  })
})
