import { readFile, stat } from 'node:fs/promises'
import { KeyError } from './key-error.ts'

/** Far more than any key, chain or list of authorities. */
const largestFile = 1_048_576

/** The bytes of a regular file. Throws KeyError when it is absent, no file, out of reach or larger than 1 MiB. */
export async function readBounded(path: string): Promise<Buffer> {
  try {
    // To open a pipe would be to wait for whoever writes to it.
    const about = await stat(path)
    if (!about.isFile()) throw new KeyError('file-unreadable', path)
    if (about.size > largestFile) throw new KeyError('file-too-large', path)
    return await readFile(path)
  } catch (error) {
    if (error instanceof KeyError) throw error
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    throw new KeyError(missing ? 'file-missing' : 'file-unreadable', path)
  }
}

/** A passphrase: the text of a file without the line end after it. */
export async function readPassphrase(path: string): Promise<string> {
  const text = (await readBounded(path)).toString('utf8')
  return text.replace(/\r?\n$/, '')
}
