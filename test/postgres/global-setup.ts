import type { TestProject } from 'vitest/node'
import type { PostgresConnection } from '../../src/store/postgres-connections.ts'
import { installedPostgres, startPostgres } from './server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server all suites share, each test in a schema of its own; absent where none is installed. */
    postgres: PostgresConnection | undefined
  }
}

/** One server for all suites. Where none is installed they are skipped, except in continuous integration. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (installedPostgres() === undefined) {
    const message = 'No PostgreSQL server is installed (Debian: apt-get install postgresql)'
    if (process.env.CI === 'true') throw new Error(message)
    console.warn(`${message}: its suites are skipped.`)
    project.provide('postgres', undefined)
    return undefined
  }
  const server = await startPostgres()
  project.provide('postgres', server.connection)
  return async () => await server[Symbol.asyncDispose]()
}
