import { spawnSync } from 'node:child_process'
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { newPath, spoolDirectory } from '../../../src/spool/directory.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-spool-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A folder where the system keeps what is temporary. */
async function newTemporary(): Promise<string> {
  const folder = await newFolder()
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  return folder
}

function nameOf(process: number, run: string): string {
  return `crocevia-${process}-${run.repeat(16)}-${'0'.repeat(32)}.spool`
}

describe('spoolDirectory', () => {
  it('makes the folder for its owner alone, with those above it', async () => {
    const path = join(await newFolder(), 'a', 'b')
    expect(spoolDirectory(path)).toBe(path)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect(spoolDirectory(path)).toBe(path)
  })

  it('leaves the mode of a folder that is there to whoever made it', async () => {
    const path = await newFolder()
    await chmod(path, 0o755)
    spoolDirectory(path)
    expect((await stat(path)).mode & 0o777).toBe(0o755)
  })

  it('refuses a path that is no folder', async () => {
    const path = join(await newFolder(), 'file')
    await writeFile(path, '')
    expect(() => spoolDirectory(path)).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => spoolDirectory(join(path, 'below'))).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  it('without a path, makes one of this user under the folder of the system', async () => {
    const temporary = await newTemporary()
    const path = spoolDirectory(undefined)
    expect(path.startsWith(join(temporary, 'crocevia-spool-'))).toBe(true)
    expect((await lstat(path)).mode & 0o777).toBe(0o700)
    expect(spoolDirectory(undefined)).toBe(path)
  })

  it('without a path, refuses a folder that others may enter, and a link to another', async () => {
    const temporary = await newTemporary()
    const path = spoolDirectory(undefined)
    const refusal = expect.objectContaining({ code: 'internal', details: { reason: 'directory-not-private' } })
    await chmod(path, 0o770)
    expect(() => spoolDirectory(undefined)).toThrow(refusal)
    await rm(path, { recursive: true })
    await mkdir(join(temporary, 'elsewhere'), { mode: 0o700 })
    await symlink(join(temporary, 'elsewhere'), path)
    expect(() => spoolDirectory(undefined)).toThrow(refusal)
  })

  it('removes what dead processes left, and nothing else', async () => {
    const path = await newFolder()
    const { pid: dead } = spawnSync(process.execPath, ['--version'])
    const leftOver = [nameOf(dead, '1'), nameOf(process.pid, '1')]
    const others = [nameOf(process.ppid, '1'), basename(newPath(path)), 'crocevia.spool', `x${nameOf(dead, '1')}`]
    for (const name of [...leftOver, ...others]) await writeFile(join(path, name), '')
    spoolDirectory(path)
    expect((await readdir(path)).sort()).toEqual(others.sort())
  })

  it('is not kept from its work by a left-over that cannot be removed', async () => {
    const path = await newFolder()
    await mkdir(join(path, nameOf(process.pid, '1')))
    expect(spoolDirectory(path)).toBe(path)
  })
})

describe('newPath', () => {
  it('never gives a name twice', () => {
    expect(new Set(Array.from({ length: 100 }, () => newPath('folder'))).size).toBe(100)
  })
})
