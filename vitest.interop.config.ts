import { defineConfig } from 'vitest/config'

/** Suites that need a service or a client from outside; `.ci/run` installs what they need. */
export default defineConfig({
  test: {
    include: ['test/interop/*.interop.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/global-setup.ts'],
  },
})
