import type { LinkspanError } from '../../base/errors.ts'
import type { Envelope } from '../../contract/v1.ts'
import type { OperationView } from '../../events/event.ts'
import type { Answer } from '../route.ts'
import { v1Statuses } from './errors.ts'
import { etagOf } from './etag.ts'

/** The header by which our own client tells errors apart that share a status. */
export const errorCodeHeader = 'linkspan-error'

/** 200 with data. */
export function sync(metadata: unknown): Answer {
  return { status: 200, body: envelope({ metadata }) }
}

/** 200 with an object whose changes can be made conditional on it. `tagged`: what the ETag covers, if not all. */
export function syncTagged(metadata: unknown, tagged: unknown = metadata): Answer {
  return { status: 200, headers: { etag: etagOf(tagged) }, body: envelope({ metadata }) }
}

/** 200 without data. */
export function done(): Answer {
  return sync({})
}

/** 201 and where the new thing is; the body says 200 all the same. */
export function created(location: string, metadata: unknown = null): Answer {
  return { status: 201, headers: { location }, body: envelope({ metadata }) }
}

/** 202 and the operation that goes on in the background. */
export function started(operation: OperationView): Answer {
  const url = operationUrl(operation.id)
  const parts = { type: 'async', status: 'Operation created', status_code: 100, operation: url } as const
  return { status: 202, headers: { location: url }, body: envelope({ ...parts, metadata: operation }) }
}

export function operationUrl(id: string): string {
  return `/1.0/operations/${id}`
}

export function failed(error: LinkspanError): Answer {
  const answer = failedWith(v1Statuses[error.code], error.message)
  return { ...answer, headers: { ...answer.headers, [errorCodeHeader]: error.code } }
}

export function failedWith(status: number, text: string): Answer {
  const parts = { type: 'error', status: '', status_code: 0, error_code: status, error: text } as const
  return { status, headers: {}, body: envelope({ ...parts, metadata: null }) }
}

function envelope(parts: Partial<Envelope>): Envelope {
  return {
    type: 'sync',
    status: 'Success',
    status_code: 200,
    operation: '',
    error_code: 0,
    error: '',
    metadata: null,
    ...parts,
  }
}
