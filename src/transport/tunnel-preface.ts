import { LinkspanError } from '../base/errors.ts'
import type { DialTarget } from './dialler.ts'

/** ALPN name of the authorised Kafka tunnel on the one TLS port. */
export const tunnelProtocol = 'linkspan-kafka/1'
/** N and N−1 interoperate: the server answers in the lower of both versions. */
export const tunnelVersion = 1

/**
 * The first frame of a tunnel, from the side that dialled: where it wants to go. Frames are a 32-bit size and JSON.
 * The answer is one frame too; after a positive one the stream carries Kafka frames.
 */
export interface TunnelPreface {
  version: number
  target: DialTarget
}

export type TunnelAnswer =
  | { version: number; ok: true }
  | {
      version: number
      ok: false
      code: 'not-permitted' | 'unreachable' | 'unsupported' | 'malformed' | 'rate-limited'
      message: string
    }

/** A preface is a few dozen bytes; more is no preface. */
export const tunnelPrefaceBytesMax = 4096

export function encodeTunnelFrame(message: TunnelPreface | TunnelAnswer): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}

export function decodeTunnelPreface(body: Uint8Array): TunnelPreface {
  const { version, target } = parseObject(body)
  if (!Number.isInteger(version) || (version as number) < 1) throw malformed()
  const { kind, nodeId } = (target ?? {}) as { kind?: unknown; nodeId?: unknown }
  if (kind === 'bootstrap') return { version: version as number, target: { kind } }
  if (kind === 'node' && Number.isInteger(nodeId) && (nodeId as number) >= 0) {
    return { version: version as number, target: { kind, nodeId: nodeId as number } }
  }
  throw malformed()
}

export function decodeTunnelAnswer(body: Uint8Array): TunnelAnswer {
  const answer = parseObject(body)
  if (typeof answer.ok !== 'boolean') throw malformed()
  return answer as TunnelAnswer
}

function parseObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // falls through: not JSON is as malformed as the wrong JSON
  }
  throw malformed()
}

function malformed(): LinkspanError {
  return new LinkspanError('malformed', 'The peer did not speak the tunnel protocol of Linkspan')
}
