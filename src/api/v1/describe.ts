import { type TSchema, Type } from 'typebox'
import { Envelope } from '../../contract/v1.ts'
import type { Route } from '../route.ts'

/** What `metadata` of changes is that have nothing to tell. */
const Nothing = Type.Union([Type.Null(), Type.Object({}, { additionalProperties: false })])

export const describedFailure = Type.Object(
  { ...Envelope.properties, type: Type.Literal('error'), metadata: Type.Null() },
  { description: 'Refused or failed, with the reason in error' },
)

const describedFile = {
  description: 'The file',
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
}

const descriptions: Record<number, string> = {
  101: 'Each text frame that comes is one of these',
  200: 'Done',
  201: 'Created; the header Location tells where',
  202: 'It goes on in the background: metadata is the operation',
}

/** For the published description: what a route answers, in its envelope. */
export function describeAnswers({ result = Nothing, answers = [200], isFile }: Route): Record<string, object> {
  if (isFile) return { 200: describedFile, default: describedFailure }
  const known = answers.map((status) => [status, answerOf(status, result)])
  return { ...Object.fromEntries(known), default: describedFailure }
}

function answerOf(status: number, result: TSchema): object {
  const description = descriptions[status] ?? ''
  if (status === 101) return { ...result, description }
  const type = Type.Literal(status === 202 ? 'async' : 'sync')
  return Type.Object({ ...Envelope.properties, type, metadata: result }, { description })
}
