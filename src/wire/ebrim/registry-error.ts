import type { Issue } from '../../core/errors.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { severities } from './names.ts'
import { attribute } from './parts-write.ts'

/** One rs:RegistryError (ITI TF-3: 4.2.4.1). */
export interface RegistryErrorRecord {
  readonly errorCode: string
  readonly codeContext: string
  readonly severity: 'error' | 'warning'
  readonly location?: string
}

/**
 * Reads the errors of a RegistryErrorList. Codes are told on as they are; a severity may lack its `urn:` or be missing,
 * and is an error unless it says otherwise.
 */
export function readRegistryErrors(tree: XmlTree, list: Node): Issue[] {
  const issues: Issue[] = []
  for (let child = tree.first(list); child !== NONE; child = tree.next(child)) {
    if (tree.local(child) !== 'RegistryError') continue
    const location = tree.attribute(child, 'location')
    issues.push({
      severity: /(^|:)Warning$/.test((tree.attribute(child, 'severity') ?? '').trim()) ? 'warning' : 'error',
      code: tree.attribute(child, 'errorCode') ?? 'XDSRegistryError',
      text: tree.attribute(child, 'codeContext') ?? '',
      ...(location === undefined || location === '' ? {} : { location }),
    })
  }
  return issues
}

/** The rs:RegistryErrorList with its highest severity; nothing when there are no errors, as the schema wants it. */
export function writeRegistryErrors(errors: readonly RegistryErrorRecord[]): string {
  if (errors.length === 0) return ''
  const highest = errors.some((error) => error.severity === 'error') ? 'error' : 'warning'
  let xml = `<rs:RegistryErrorList highestSeverity="${severities[highest]}">`
  for (const { errorCode, codeContext, severity, location } of errors) {
    xml += `<rs:RegistryError${attribute('errorCode', legible(errorCode))}${attribute('codeContext', legible(codeContext))}`
    xml += ` severity="${severities[severity]}"${location === undefined ? '' : attribute('location', legible(location))}/>`
  }
  return `${xml}</rs:RegistryErrorList>`
}

/** An error is told even when its text came from JSON and has characters that XML cannot carry. */
function legible(text: string): string {
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
}
