import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { notHeld, spoolFailure } from './failure.ts'

/** Tells files of this run from those of an earlier process that had the same id, as in a container. */
const run = randomBytes(8).toString('hex')

const ownName = /^crocevia-([0-9]{1,10})-([0-9a-f]{16})-[0-9a-f]{32}\.spool$/

/**
 * The folder for temporary files: made for its owner alone when absent, and rid of what dead processes left there.
 * Without a path it is one of this user under the system's folder for such things, which must be nobody else's. Throws
 * GatewayError when it cannot be used.
 */
export function spoolDirectory(path: string | undefined): string {
  const directory = path ?? join(tmpdir(), `crocevia-spool-${process.getuid?.() ?? 'user'}`)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (path === undefined) insistOnOwn(directory)
    else if (!statSync(directory).isDirectory()) throw notHeld('no-directory')
    removeLeftOvers(directory)
  } catch (error) {
    throw spoolFailure(error)
  }
  return directory
}

/** A path in the folder that nobody can guess, and that tells whose it is should it be left over. */
export function newPath(directory: string): string {
  return join(directory, `crocevia-${process.pid}-${run}-${randomBytes(16).toString('hex')}.spool`)
}

/** Anybody can make a folder, or a link to one, under a name that they know beforehand. */
function insistOnOwn(directory: string): void {
  const about = lstatSync(directory)
  const isOthers = process.getuid !== undefined && (about.uid !== process.getuid() || (about.mode & 0o077) !== 0)
  if (!about.isDirectory() || isOthers) throw notHeld('directory-not-private')
}

/** A process of another container may look dead; it keeps its files open, and loses no more than their names. */
function removeLeftOvers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, process = '', itsRun] = ownName.exec(name) ?? []
    if (itsRun === undefined || itsRun === run || isAlive(Number(process))) continue
    try {
      unlinkSync(join(directory, name))
    } catch {
      // Somebody else's, in a folder of all: it keeps nobody from holding documents.
    }
  }
}

function isAlive(id: number): boolean {
  // Whoever had this process's id before it is dead.
  if (id === process.pid) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
