import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { usage } from '../../../src/cli/usage.ts'

const main = join(import.meta.dirname, '../../../src/cli/main.ts')

function crocevia(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

it.each([[['--help']], [['help']], [['ts', '--help']], [['ini', 'search', '-h']]])(
  '%j tells how the command line is used, and is no error',
  async (args) => {
    expect(await crocevia(...args)).toEqual({ code: 0, stdout: `${usage}\n`, stderr: '' })
  },
)

it('is told beside what is wrong with an unknown option', async () => {
  const { code, stderr, stdout } = await crocevia('query', '--no-such-option')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(usage)
})
