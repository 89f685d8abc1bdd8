import { CliError } from './exit.ts'

/** The most that is judged: 10 MB. */
export const largestInput = 10 * 1024 * 1024

/**
 * Everything on standard input, or why it is not judged: `too-large` as soon as it is. Throws CliError when nobody sends
 * any.
 */
export async function readInput(): Promise<Buffer | 'too-large' | 'unreadable'> {
  const { stdin } = process
  if (stdin.isTTY) throw new CliError('usage', 'what is to be judged must come on standard input')
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      size += chunk.length
      // Leaving the loop closes the stream: whoever still writes is told.
      if (size > largestInput) return 'too-large'
      chunks.push(chunk)
    }
  } catch {
    // A folder, or a file that broke off.
    return 'unreadable'
  }
  return Buffer.concat(chunks, size)
}
