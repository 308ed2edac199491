import { Type } from 'typebox'
import { V3Error } from '../../contract/kafka-v3.ts'
import type { Route } from '../route.ts'

const failure = Type.Object({ ...V3Error.properties }, { description: 'Refused or failed, with the reason in message' })

/** For the published description: the bare body, or none, which is 204. */
export function describeAnswers({ result, answers = [result ? 200 : 204] }: Route): Record<string, object> {
  const known = answers.map((status) => [status, { ...(result ?? Type.Null()), description: 'Done' }])
  return { ...Object.fromEntries(known), default: failure }
}
