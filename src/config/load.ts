import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { type Federation, federation } from './federation.ts'

/** A configuration that cannot be used; `faults` are sentences with the path they are about, all of them at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly { readonly path: string; readonly message: string }[]

  constructor(faults: readonly { readonly path: string; readonly message: string }[]) {
    super(faults.map(({ path, message }) => `✖ ${message}\n  → at ${path}`).join('\n'))
    this.faults = faults
  }
}

/** A checked configuration, and how to read the files it names. */
export interface LoadedConfig {
  readonly federation: Federation
  /** The text of a file named in the configuration. Throws ConfigError. */
  readonly read: (path: string) => string
  /** Its bytes. Throws ConfigError. */
  readonly bytes: (path: string) => Buffer
  /** A path of the configuration as an absolute one. */
  readonly locate: (path: string) => string
}

/** Reads and checks a configuration file. Throws ConfigError with every fault. */
export function loadConfig(path: string): LoadedConfig {
  const base = dirname(resolve(path))
  const locate = (name: string) => (isAbsolute(name) ? name : resolve(base, name))
  const bytes = (name: string) => {
    try {
      return readFileSync(locate(name))
    } catch {
      throw new ConfigError([{ path: name, message: 'the file cannot be read' }])
    }
  }
  const read = (name: string) => bytes(name).toString('utf8')
  const text = read(resolve(path))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ConfigError([{ path, message: 'is not JSON' }])
  }
  return { federation: checkConfig(value), read, bytes, locate }
}

/** Checks a configuration value. Throws ConfigError with every fault. */
export function checkConfig(value: unknown): Federation {
  const result = federation.safeParse(value)
  if (result.success) return result.data
  throw new ConfigError(faultsOf(result.error))
}

/** A zod error as our faults, under a path of the configuration. */
export function faultsOf(error: z.ZodError, under: readonly (string | number)[] = []) {
  return error.issues.map(({ path, message }) => ({
    path: z.core.toDotPath([...under, ...path]),
    message,
  }))
}
