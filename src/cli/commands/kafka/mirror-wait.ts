import { setTimeout as delay } from 'node:timers/promises'
import { LinkspanError } from '../../../base/errors.ts'
import type { KafkaMirror, MirrorStatus } from '../../../contract/kafka-v3.ts'
import type { Context } from '../../context.ts'
import { Progress } from '../../progress.ts'

export interface Waiting {
  link: string
  topics: readonly string[]
  until: MirrorStatus
}

const pollMs = 200

/** Until every topic is in the state. Throws `state-conflict` when one fails instead, with what is known of it. */
export async function waitForEnd(context: Context, { link, topics, until }: Waiting): Promise<void> {
  const left = new Set(topics)
  const told = new Set<string>()
  using progress = new Progress(context)
  const tell = (text: string) => {
    if (told.has(text)) return
    told.add(text)
    progress.clear()
    context.note(text)
  }
  while (left.size > 0) {
    for (const topic of left) {
      const mirror = await context.client.kafka.mirrors.get(link, topic, { includeErrors: true })
      if (mirror.mirror_status === 'FAILED') throw failed(mirror)
      if (mirror.mirror_status === until) left.delete(topic)
      else blockers(mirror).forEach(tell)
      if (!left.has(topic)) tell(`Mirror topic ${topic} is ${until}`)
    }
    if (left.size === 0) return
    progress.update(`Waiting for ${[...left].join(', ')} to be ${until}`)
    await delay(pollMs)
  }
}

function failed({ mirror_topic_name, mirror_topic_error, mirror_state_transition_errors = [] }: KafkaMirror): Error {
  const reasons = mirror_state_transition_errors.map(({ error_message }) => error_message)
  const reason = reasons.join('; ') || mirror_topic_error
  return new LinkspanError('state-conflict', `Mirror topic ${mirror_topic_name} is FAILED: ${reason}`)
}

function blockers({ mirror_topic_name, mirror_state_transition_errors = [] }: KafkaMirror): string[] {
  return mirror_state_transition_errors.map(({ error_message }) => `${mirror_topic_name}: ${error_message}`)
}
