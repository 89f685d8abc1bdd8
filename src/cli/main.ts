import { CliError, exitCodes } from './exit.ts'
import { usage } from './usage.ts'

/** Each command brings its own modules, so that none waits for those of another. */
async function run(args: string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === 'help' || args.some((arg) => arg === '--help' || arg === '-h')) {
    console.log(usage)
    return exitCodes.success
  }
  if (command === 'verify') return await (await import('./verify.ts')).verify(rest)
  if (command === 'doctor') return await (await import('./doctor.ts')).doctor(rest)
  if (command === 'journal' || command === 'deliveries')
    return await (await import('./journal.ts')).journal(command, rest)
  if (command === 'workflow') return await (await import('./workflow.ts')).workflow(rest)
  if (command === 'explain') return await (await import('./explain.ts')).explain(rest)
  if (command === 'push') return await (await import('./push.ts')).push(rest)
  if (command === 'notify') return await (await import('./notify.ts')).notify(rest)
  if (command === 'transfer') return await (await import('./transfer.ts')).transfer(rest)
  if (command === 'transfer-in') return await (await import('./transfer-in.ts')).transferIn(rest)
  if (command === 'ini') return await (await import('./ini.ts')).ini(rest)
  if (command === 'ts') return await (await import('./ts.ts')).ts(rest)
  return await (await import('./query.ts')).query(args)
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  if (error instanceof CliError) {
    console.error(error.message)
    process.exitCode = exitCodes[error.exit]
  } else {
    console.error(`unexpected: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = exitCodes.unexpected
  }
}
