import { defineConfig } from 'vitest/config'

/** Suites that need a PostgreSQL server, which they start themselves; `.ci/run` installs it. */
export default defineConfig({
  test: {
    include: ['test/**/*.postgres.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/postgres/global-setup.ts'],
  },
})
