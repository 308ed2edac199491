import { initProducerId } from '../../wire/api/22-init-producer-id.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { mayServer, mayTopic } from './topic-rights.ts'

/** v6 is for two-phase commit, and hidden by Apache's broker too. */
const versionMax = 5
const none = -1n

/**
 * A fresh producer id for an idempotent producer. It raises its epoch by itself (KIP-360); when it asks with an id and
 * an epoch it gets a fresh id all the same, as from Apache's broker.
 *
 * There are no transactions here. TRANSACTIONAL_ID_AUTHORIZATION_FAILED is the one answer that Java's producer,
 * librdkafka and franz-go all take as final: librdkafka tries most others again for ever, and all of them those that
 * send them back to the coordinator.
 */
export const initProducerIdHandler = defineHandler<typeof initProducerId>({
  api: initProducerId,
  versions: [initProducerId.versions[0], versionMax],
  async handle(request, context) {
    if (request.transactionalId !== null) return failed(kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    if (!mayProduceAnywhere(context)) return failed(kafkaErrors.CLUSTER_AUTHORIZATION_FAILED)
    if ((request.producerId === none) !== (request.producerEpoch === -1)) return failed(kafkaErrors.INVALID_REQUEST)
    try {
      const producerId = await context.node.producerIds.next()
      return answer<typeof initProducerId>({ errorCode: 0, producerId, producerEpoch: 0 })
    } catch (error) {
      context.node.log.error({ err: error }, 'Producer ids could not be reserved')
      return failed(kafkaErrors.COORDINATOR_NOT_AVAILABLE)
    }
  },
})

function failed(errorCode: number) {
  return answer<typeof initProducerId>({ errorCode, producerId: none, producerEpoch: -1 })
}

/** Whoever may write to some topic. */
function mayProduceAnywhere({ node, session }: RequestContext): boolean {
  if (mayServer(session, 'can_edit_topics')) return true
  return node.catalog.list().some(({ name }) => mayTopic(session, 'can_edit', name))
}
