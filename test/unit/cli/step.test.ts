import { describe, expect, it } from 'vitest'
import { changed } from '../../../src/cli/push.ts'
import { type Step, stepAsJson, stepAsText } from '../../../src/cli/step.ts'
import { changeAnswer, noticeAnswer, queryAnswer } from '../../../src/cli/told.ts'
import { validEntry } from '../../support/submissions.ts'

const exchange = (answer = '<answer/>') => ({
  ...{ url: 'https://gateway/ini', action: 'urn:a', messageId: 'urn:uuid:1', request: '<request/>', status: 200 },
  ...{ answer: Buffer.from(answer), durationMs: 12.4 },
})
const soap = (body: string) =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>${body}</e:Body></e:Envelope>`

const fault = soap(
  '<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text>no</e:Text></e:Reason><e:Detail>' +
    '<f:BaseFault xmlns:f="urn:f"><f:Timestamp>2026-11-25T10:00:00Z</f:Timestamp><f:ErrorCode>PFA14</f:ErrorCode>' +
    '<f:Description>This role may not</f:Description></f:BaseFault></e:Detail></e:Fault>',
)
const registry = (status: string, errors = '') =>
  soap(
    '<rs:RegistryResponse xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" ' +
      `status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:${status}">${errors}</rs:RegistryResponse>`,
  )
const r224 =
  '<rs:RegistryErrorList><rs:RegistryError errorCode="R224" codeContext="already saved" location="Document1" ' +
  'severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"/></rs:RegistryErrorList>'

describe('an answer', () => {
  it('to a change tells its status and the errors as they were worded', () => {
    expect(changeAnswer(exchange(registry('Success')))).toEqual({ status: 'success', issues: [] })
    expect(changeAnswer(exchange(registry('Failure', r224)))).toMatchObject({
      status: 'failure',
      issues: [{ severity: 'error', code: 'R224', text: 'already saved', location: 'Document1' }],
    })
  })

  it('that is a fault is a refusal, whatever was asked', async () => {
    const refusal = { status: 'refused', fault: { detail: { errorCode: 'PFA14', description: 'This role may not' } } }
    expect(changeAnswer(exchange(fault))).toMatchObject(refusal)
    expect(noticeAnswer(exchange(fault), 'NotifyHiding')).toMatchObject(refusal)
    expect(await queryAnswer(exchange(fault))).toMatchObject(refusal)
  })

  it('to a notification may be a failure with a code', () => {
    const answer = soap(
      '<NotifyHidingResponse><Status>Failure</Status><Error errorCode="XDSRegistryError" codeContext="why"/></NotifyHidingResponse>',
    )
    expect(noticeAnswer(exchange(answer), 'NotifyHiding')).toEqual({
      status: 'failure',
      issues: [{ severity: 'error', code: 'XDSRegistryError', text: 'why' }],
    })
  })

  it.each([
    ['a page', '<html>no</html>'],
    ['no XML', 'no'],
    ['an empty body', soap('')],
  ])('that is %s ends the command as unreachable', async (_what, answer) => {
    const unreachable = expect.objectContaining({ exit: 'unreachable' })
    expect(() => changeAnswer(exchange(answer))).toThrow(unreachable)
    expect(() => noticeAnswer(exchange(answer), 'NotifyHiding')).toThrow(unreachable)
    await expect(queryAnswer(exchange(answer))).rejects.toThrow(unreachable)
  })
})

describe('an exchange that is shown', () => {
  const step: Step = {
    what: 'create (ITI-42)',
    exchange: {
      ...exchange(),
      claimed: {
        role: 'AAS',
        purpose: 'TREATMENT',
        action: 'CREATE',
        organization: '050',
        organizationName: 'Regione Veneto',
      },
    },
    sent: { document: ['A', 'B'], events: [] },
    told: { status: 'failure', issues: [{ severity: 'error', code: 'R224', text: 'already saved', location: 'A' }] },
  }

  it('is one block: what was sent on whose word, and what was answered', () => {
    expect(stepAsText(step, { show: false })).toBe(
      [
        'create (ITI-42): https://gateway/ini',
        '  message         urn:uuid:1',
        '  on the word of  Regione Veneto (050): AAS, TREATMENT, CREATE',
        '  document        A',
        '                  B',
        '  answered        failure, 12 ms',
        '  error           R224: already saved [A]',
      ].join('\n'),
    )
  })

  it('tells a fault in INI’s form', () => {
    const text = stepAsText({ ...step, told: changeAnswer(exchange(fault)) }, { show: false })
    expect(text).toContain('answered        refused')
    expect(text).toContain('fault           PFA14: This role may not')
    expect(text).toContain('told at         2026-11-25T10:00:00Z')
  })

  it('has the messages themselves only where they are asked for', () => {
    expect(stepAsText(step, { show: false })).not.toContain('<request/>')
    expect(stepAsText(step, { show: true })).toContain('\n\nrequest\n<request/>\n\nanswer\n<answer/>')
    expect(stepAsJson(step, { show: false })).not.toHaveProperty('request')
    expect(stepAsJson(step, { show: true })).toMatchObject({ request: '<request/>', answer: '<answer/>' })
  })

  it('lists what was found for people who asked for nothing else', () => {
    const found = { ...step, found: { ids: 2 }, listed: ['urn:uuid:7', 'urn:uuid:8'] }
    expect(stepAsText(found, { show: false })).not.toContain('urn:uuid:7')
    expect(stepAsText(found, { show: false, lists: true })).toContain('urn:uuid:7')
    expect(stepAsJson(found, { show: false })).toMatchObject({
      found: { ids: 2 },
      listed: ['urn:uuid:7', 'urn:uuid:8'],
    })
  })
})

describe('an update', () => {
  const none = { event: [] as string[] }
  const events = (...event: string[]) =>
    changed(
      {
        ...validEntry(),
        eventCodes: [
          { code: 'P99', scheme: 's' },
          { code: 'J07BB02', scheme: 's' },
        ],
      },
      { ...none, event },
    )

  it('leaves alone what nobody wants otherwise', () => {
    expect(changed(validEntry(), none)).toEqual(validEntry())
  })

  it('puts an access policy in the place of the former, and adds other events', () => {
    expect(events('P00').eventCodes.map(({ code }) => code)).toEqual(['J07BB02', 'P00'])
    expect(events('J07BN01').eventCodes.map(({ code }) => code)).toEqual(['P99', 'J07BB02', 'J07BN01'])
    expect(events('J07BB02').eventCodes.map(({ code }) => code)).toEqual(['P99', 'J07BB02'])
  })

  it('that changes the type changes the class', () => {
    expect(changed(validEntry(), { ...none, type: '57832-8' })).toMatchObject({
      ...{ typeCode: { code: '57832-8' }, classCode: { code: 'PRS' } },
    })
  })
})
