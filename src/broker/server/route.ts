import { explainError, isLinkspanError } from '../../base/errors.ts'
import { Reader } from '../../bytes/reader.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { decodeRequestBody, isFlexible } from '../../wire/codec.ts'
import { decodeRequestHeader, encodeResponse, skipTaggedFields } from '../../wire/frame.ts'
import type { Api, RequestOf } from '../../wire/schema.ts'
import { unknownVersionAnswer } from '../handlers/18-api-versions.ts'
import type { Handler } from '../handlers/handler.ts'
import type { HandlerTable } from '../handlers/index.ts'
import { checkRequestSize } from './request-size.ts'

export interface RoutedRequest {
  kind: 'request'
  handler: Handler
  version: number
  correlationId: number
  clientId: string
  body: RequestOf<Api>
  /** What its answer may take, where the client says; 0: it is small. */
  answerBytes: number
}

/** What a frame turned out to be. `reason` is for our log alone. */
export type Routed =
  | RoutedRequest
  | { kind: 'answer'; chunks: readonly Uint8Array[] }
  | { kind: 'refused'; reason: string }

/** Key, version, correlation id. */
const fixedHeaderBytes = 8

/** Reads a request as far as we know it. `answerBytesMax`: what a fetch gets at most, whatever it asks for. */
export function routeRequest(bytes: Buffer, handlers: HandlerTable, answerBytesMax: number): Routed {
  if (bytes.length < fixedHeaderBytes) return { kind: 'refused', reason: `a request of ${bytes.length} bytes` }
  const apiKey = bytes.readInt16BE(0)
  const version = bytes.readInt16BE(2)
  const handler = handlers.get(apiKey)
  if (!handler) return { kind: 'refused', reason: `API ${apiKey}, which this broker does not have` }
  const [min, max] = handler.versions
  if (version < min || version > max) {
    if (apiKey === apiVersions.key) return answerUnknownVersion(bytes.readInt32BE(4))
    return { kind: 'refused', reason: `${handler.api.name} in version ${version}, which is not spoken here` }
  }
  try {
    return readRequest(handler, bytes, answerBytesMax)
  } catch (error) {
    if (!isLinkspanError(error, 'malformed', 'unsupported')) throw error
    return { kind: 'refused', reason: `${handler.api.name} that cannot be read: ${explainError(error)}` }
  }
}

/** As Apache's broker: the client then knows which versions to ask in. */
function answerUnknownVersion(correlationId: number): Routed {
  return { kind: 'answer', chunks: encodeResponse(apiVersions, 0, correlationId, unknownVersionAnswer) }
}

/** Bytes behind the body are nobody's business, as Apache's broker has it. */
function readRequest(handler: Handler, bytes: Buffer, answerBytesMax: number): RoutedRequest {
  const reader = new Reader(bytes)
  const { apiVersion: version, correlationId, clientId } = decodeRequestHeader(reader)
  if (isFlexible(handler.api, version)) skipTaggedFields(reader)
  checkRequestSize(handler.api, version, bytes, reader.offset)
  const body = decodeRequestBody(handler.api, version, reader)
  const { maxBytes } = body as { maxBytes?: unknown }
  const answerBytes = typeof maxBytes === 'number' ? Math.max(0, Math.min(maxBytes, answerBytesMax)) : 0
  return { kind: 'request', handler, version, correlationId, clientId: clientId ?? '', body, answerBytes }
}

/** What else begins a connection by mistake; undefined: it may be Kafka. */
export function foreignProtocol(start: Buffer): string | undefined {
  if (/^(GET |HEAD|POST|PUT |DELE|OPTI|PATC|CONN|TRAC|PRI )/.test(start.toString('latin1', 0, 4))) {
    return 'HTTP: the REST API is at the port of --listen'
  }
  const isTls = start[0] === 0x16 && start[1] === 0x03
  return isTls ? 'TLS, on a listener without it: set security.protocol of the client accordingly' : undefined
}
