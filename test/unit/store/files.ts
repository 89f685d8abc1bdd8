import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type FileOptions, openFile, type StoreFile } from '../../../src/store/sqlite-file.ts'

/** Where a file may be made, in a folder that goes with the test. */
export async function newPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-file-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'store.db')
}

/** The file, open until the test has finished. */
export function opened(path: string, changes: Partial<FileOptions> = {}): StoreFile {
  const file = openFile({ path, busyTimeoutMs: 1000, ...changes })
  onTestFinished(() => file.close())
  return file
}
